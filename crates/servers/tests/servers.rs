//! The servers start, die, come back with what they had promised to keep, and leave nothing behind.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up has failed"
)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use double11_servers::{CutPoint, MariaDb, Proxy, Redis, RedisCluster, SeekDb, Tool, present};

#[test]
fn mariadb_keeps_what_was_committed_when_it_is_killed() {
    if !present(Tool::MariaDb) {
        return;
    }
    let server = MariaDb::start().unwrap();
    let url = server.create_database("kept").unwrap();
    assert_eq!(url, server.url("kept"));
    server
        .sql("CREATE TABLE kept.t (a INT PRIMARY KEY); INSERT INTO kept.t VALUES (1), (2)")
        .unwrap();
    let first = server.pid().unwrap();
    server.kill();
    assert_eq!(server.pid(), None);
    assert!(server.sql("SELECT 1").is_err(), "it is dead");
    server.restart().unwrap();
    assert_ne!(server.pid().unwrap(), first);
    assert_eq!(server.sql("SELECT COUNT(*) FROM kept.t").unwrap(), "2");
    let settings = "SELECT @@innodb_flush_log_at_trx_commit, @@sync_binlog, @@log_bin, @@innodb_doublewrite, @@tx_isolation";
    assert_eq!(server.sql(settings).unwrap(), "1\t1\t0\t1\tREPEATABLE-READ");
    server
        .restart_with(&["--log-bin", "--read-only=1"])
        .unwrap();
    assert_eq!(server.sql("SELECT @@log_bin, @@read_only").unwrap(), "1\t1");
}

/// A server that starts removes the temporary tables it finds, which may be another's.
#[test]
fn a_server_that_starts_leaves_the_temporary_tables_of_others_alone() {
    if !present(Tool::MariaDb) {
        return;
    }
    let of_another = tempfile::Builder::new()
        .prefix("#sql-temptable-")
        .suffix(".MAI")
        .tempfile()
        .unwrap();
    let server = MariaDb::start().unwrap();
    server.restart().unwrap();
    assert!(of_another.path().exists(), "it was removed");
}

#[test]
fn variables_last_over_starts_and_an_end_of_its_own_is_seen() {
    if !present(Tool::MariaDb) {
        return;
    }
    let server = MariaDb::start_in(&["--port-open-timeout=1"], |data| {
        vec![("OF_THE_TEST".into(), data.as_os_str().to_owned())]
    });
    let server = server.unwrap();
    for start in ["first", "second"] {
        let environment = format!("/proc/{}/environ", server.pid().unwrap());
        let environment = std::fs::read_to_string(environment).unwrap();
        let data = server.sql("SELECT @@datadir").unwrap();
        let variable = format!("OF_THE_TEST={}\0", data.trim_end_matches('/'));
        assert!(environment.contains(&variable), "{start}: {variable}");
        assert!(server.is_running(), "{start}");
        server.sql("SHUTDOWN").unwrap();
        let ended = std::iter::repeat_with(|| {
            pause(Duration::from_millis(20));
            !server.is_running()
        });
        assert!(ended.take(1_000).any(|ended| ended), "{start}: it runs on");
        server.restart().unwrap();
    }
}

#[test]
fn a_paused_server_goes_on_when_resumed() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    server.command(&["SET", "k", "v"]).unwrap();
    server.pause();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.write_all(b"GET k\r\n").unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let mut answer = [0; 7];
    assert!(stream.read_exact(&mut answer).is_err(), "it is paused");
    server.resume();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"$1\r\nv\r\n");
}

#[test]
fn redis_comes_back_empty_and_with_the_policy_that_was_asked_for() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    server.command(&["SET", "k", "v"]).unwrap();
    server.kill();
    server.restart().unwrap();
    assert_eq!(server.command(&["DBSIZE"]).unwrap(), "0");
    let policy = server
        .command(&["CONFIG", "GET", "maxmemory-policy"])
        .unwrap();
    assert_eq!(policy, "maxmemory-policy\nnoeviction");
    server
        .restart_with(&["--maxmemory-policy", "allkeys-lru"])
        .unwrap();
    let policy = server
        .command(&["CONFIG", "GET", "maxmemory-policy"])
        .unwrap();
    assert_eq!(policy, "maxmemory-policy\nallkeys-lru");
    assert!(server.command(&["NO-SUCH-COMMAND"]).is_err());
}

#[test]
fn a_cluster_gets_over_the_loss_of_a_master() {
    if !present(Tool::Redis) {
        return;
    }
    let cluster = RedisCluster::start().unwrap();
    let master = cluster.master_of("k").unwrap();
    let port = master.port();
    master.command(&["SET", "k", "v"]).unwrap();
    assert_eq!(master.command(&["WAIT", "1", "5000"]).unwrap(), "1");
    master.kill();
    let mut heir = None;
    for _ in 0..200 {
        let now = cluster.master_of("k").ok().filter(|now| now.port() != port);
        heir = now.filter(|now| now.command(&["GET", "k"]).is_ok_and(|value| value == "v"));
        if heir.is_some() {
            break;
        }
        pause(Duration::from_millis(50));
    }
    assert!(heir.is_some(), "a replica serves the key");
    cluster.wait_until_served().unwrap();
}

#[test]
fn seekdb_keeps_what_was_committed_when_it_is_killed() {
    if !present(Tool::SeekDb) {
        return;
    }
    let server = SeekDb::start().unwrap();
    server.create_database("kept").unwrap();
    server
        .sql("CREATE TABLE kept.t (a INT PRIMARY KEY)")
        .unwrap();
    server.sql("INSERT INTO kept.t VALUES (1), (2)").unwrap();
    server.kill();
    server.restart().unwrap();
    assert_eq!(server.sql("SELECT COUNT(*) FROM kept.t").unwrap(), "2");
}

#[test]
fn nothing_is_left_of_a_server_when_its_process_dies() {
    if !present(Tool::Redis) {
        return;
    }
    let program = env!("CARGO_BIN_EXE_double11-servers");
    let script = "echo {redis}; kill -9 $PPID; sleep 0.2";
    let output = Command::new(program)
        .args(["run", "--redis", "--", "sh", "-c", script])
        .output()
        .unwrap();
    let url = String::from_utf8(output.stdout).unwrap();
    let port = url.trim().strip_prefix("redis://127.0.0.1:").unwrap();
    let port: u16 = port.strip_suffix("/0").unwrap().parse().unwrap();
    let gone = (0..200).any(|_| {
        let gone = TcpStream::connect(("127.0.0.1", port)).is_err();
        if !gone {
            pause(Duration::from_millis(50));
        }
        gone
    });
    assert!(gone, "the server outlived its owner");
}

#[test]
fn a_command_runs_with_addresses_and_its_exit_code_is_handed_on() {
    if !present(Tool::Redis) {
        return;
    }
    let program = env!("CARGO_BIN_EXE_double11-servers");
    let output = Command::new(program)
        .args([
            "run",
            "--redis",
            "--",
            "sh",
            "-c",
            "redis-cli -u {redis} ping; exit 7",
        ])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "PONG\n");
    assert_eq!(output.status.code(), Some(7));
    for wrong in [
        &["run"][..],
        &["run", "--redis"],
        &["run", "--what", "--", "true"],
        &[],
    ] {
        let output = Command::new(program).args(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
    let missing = Command::new(program)
        .args(["run", "--", Path::new("/no/such/program").to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("/no/such/program"));
}

/// A connection through a proxy to a Redis server, spoken by hand.
struct Line(TcpStream);

impl Line {
    fn open(proxy: &Proxy) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(300)))
            .unwrap();
        Self(stream)
    }

    /// What the server answers; nothing when the connection ended or stays silent.
    fn ask(&mut self, command: &str) -> Option<String> {
        self.0.write_all(command.as_bytes()).ok()?;
        let mut answer = [0; 256];
        let count = self.0.read(&mut answer).ok()?;
        (count > 0).then(|| String::from_utf8_lossy(&answer[..count]).into_owned())
    }
}

#[test]
fn a_proxy_cuts_refuses_and_stalls() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let proxy = Proxy::start(server.port()).unwrap();
    let port = proxy.port();
    assert_eq!(
        proxy.through(&server.url()),
        format!("redis://127.0.0.1:{port}/0")
    );
    let mut line = Line::open(&proxy);
    assert_eq!(line.ask("PING\r\n").as_deref(), Some("+PONG\r\n"));
    proxy.cut();
    assert_eq!(line.ask("PING\r\n"), None);
    assert_eq!((proxy.cuts(), proxy.connections()), (1, 0));

    let mut line = Line::open(&proxy);
    assert!(line.ask("PING\r\n").is_some(), "new ones are taken");
    proxy.refuse();
    // A free port of this range may connect to itself, or be another test's for a moment; a listener never refuses.
    assert!((0..5).any(|_| TcpStream::connect(("127.0.0.1", port)).is_err()));
    assert!(line.ask("PING\r\n").is_some(), "open ones stay");
    proxy.pass().unwrap();

    proxy.stall();
    assert_eq!(line.ask("SET a 1\r\n"), None);
    assert_eq!(server.command(&["EXISTS", "a"]).unwrap(), "0");
    proxy.pass().unwrap();
    let mut answer = [0; 5];
    line.0.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+OK\r\n", "what was held up arrives");

    proxy.delay(Duration::from_millis(200));
    assert_eq!(line.ask("PING\r\n"), None, "later than the reader waits");
}

#[test]
fn a_proxy_cuts_before_and_after_what_is_awaited() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let proxy = Proxy::start(server.port()).unwrap();
    proxy.cut_when(b"COMMIT", CutPoint::Before);
    let mut line = Line::open(&proxy);
    assert!(line.ask("SET a 1\r\n").is_some());
    assert_eq!(line.ask("SET before COMMIT\r\n"), None);
    assert_eq!(server.command(&["EXISTS", "before"]).unwrap(), "0");

    proxy.cut_when(b"COMMIT", CutPoint::After);
    let mut line = Line::open(&proxy);
    // In two pieces: the sequence is found all the same.
    line.0.write_all(b"SET after COM").unwrap();
    pause(Duration::from_millis(50));
    assert_eq!(line.ask("MIT\r\n"), None);
    assert_eq!(server.command(&["GET", "after"]).unwrap(), "COMMIT");
    assert_eq!(proxy.cuts(), 2);

    let mut line = Line::open(&proxy);
    assert!(line.ask("SET again COMMIT\r\n").is_some(), "once only");
}

#[expect(clippy::disallowed_methods, reason = "another process gives no event")]
fn pause(span: Duration) {
    std::thread::sleep(span);
}
