//! The static binary runs in an empty root that nobody can write, as a user that does not exist, and
//! resolves names there.

use std::fs::Permissions;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::harness::{both, skip};
use crate::names::NameServer;
use crate::shop::LimitedShop;
use crate::{alone, can_mount};

/// Where the name server answers: an address of the loopback that nobody else has.
const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(127, 0, 53, 11);
/// The name that it knows.
const NAME: &str = "shop.double11.test";

/// A shop on the only folder that can be written.
const SERVE: [&str; 7] = [
    "serve",
    "--store",
    "sqlite:/data/shop.db",
    "--addr",
    "127.0.0.1:0",
    "--products",
    "500",
];

/// Makes the root unwritable but for `/data`, then becomes the program as user and group 65532.
const EMPTY_ROOT: &str = r#"
set -e
root=$1; shift
mount --bind "$root" "$root"
mount -t tmpfs -o mode=1777 tmpfs "$root/data"
mount -o remount,bind,ro "$root"
exec chroot --userspec=65532:65532 "$root" /double11 "$@"
"#;

/// Builds the program without any library to be loaded. The flag means that everything is compiled anew;
/// without optimisation that takes a fraction of the time and links the same libraries. The folder is its
/// own, so that nobody takes the slow program for the one that is shipped.
fn build() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let make = Command::new("make")
        // Below another make it would say where it goes and comes from, the last line too.
        .args([
            "--no-print-directory",
            "static",
            "STATIC=target/static-test",
        ])
        .current_dir(workspace.unwrap())
        .env_remove("CARGO_MAKEFLAGS")
        .env_remove("MAKEFLAGS")
        .env_remove("RUSTFLAGS")
        .env("CARGO", env!("CARGO"))
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_PROFILE_STATIC_OPT_LEVEL", "0")
        .output()
        .unwrap();
    assert!(make.status.success(), "{}", both(&make));
    let said = String::from_utf8(make.stdout).unwrap();
    PathBuf::from(said.lines().last().unwrap().trim())
}

/// An empty root with the program and what a container is given.
fn root_with(program: &Path) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    for folder in ["data", "etc/ssl/certs"] {
        std::fs::create_dir_all(path(folder)).unwrap();
    }
    std::fs::copy(program, path("double11")).unwrap();
    std::fs::write(
        path("etc/resolv.conf"),
        format!("nameserver {NAME_SERVER}\n"),
    )
    .unwrap();
    std::fs::write(path("etc/hosts"), "127.0.0.1 localhost in-the-file\n").unwrap();
    let authorities = Path::new("/etc/ssl/certs/ca-certificates.crt");
    if authorities.exists() {
        std::fs::copy(authorities, path("etc/ssl/certs/ca-certificates.crt")).unwrap();
    }
    std::fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
    root
}

fn in_root(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", EMPTY_ROOT, "sh"])
        .arg(root)
        .args(arguments);
    command
}

fn run_in(root: &Path, arguments: &[&str]) -> Output {
    in_root(root, arguments).output().unwrap()
}

/// Whether a binary asks for a loader, which a program with libraries of its own does not.
///
/// Source: elf(5): 64 bits; the table of segments at byte 32, the size and number of its rows at 54
/// and 56; type 3 is `PT_INTERP`.
fn asks_for_a_loader(binary: &[u8]) -> bool {
    let short = |at: usize| usize::from(u16::from_le_bytes([binary[at], binary[at + 1]]));
    let table = u64::from_le_bytes(binary[32..40].try_into().unwrap());
    let (table, size, rows) = (usize::try_from(table).unwrap(), short(54), short(56));
    assert_eq!(&binary[..5], b"\x7fELF\x02", "an ELF file of 64 bits");
    let kind = |row: usize| {
        let at = table + row * size;
        u32::from_le_bytes(binary[at..at + 4].try_into().unwrap())
    };
    (0..rows).any(|row| kind(row) == 3)
}

#[test]
fn it_runs_in_an_empty_root_and_resolves_names_there() {
    let _alone = alone();
    if !can_mount() {
        return;
    }
    let names = match NameServer::start(NAME_SERVER, NAME) {
        Ok(names) => names,
        Err(error) => return skip(&format!("port 53 of the loopback needs root: {error}")),
    };
    let program = build();
    check_file(&program);
    let root = root_with(&program);
    let root = root.path();
    check_refusal(root);
    let shop = LimitedShop::spawn(&mut in_root(root, &SERVE));
    let shop = shop.unwrap_or_else(|output| panic!("{}", both(&output)));
    let status = std::fs::read_to_string(format!("/proc/{}/status", shop.process_id())).unwrap();
    let ids = ["Uid", "Gid"].map(|id| format!("\n{id}:\t65532\t65532\t65532\t65532\n"));
    assert!(ids.iter().all(|id| status.contains(id)), "{status}");
    let port = shop.target.rsplit_once(':').unwrap().1;
    check_names(root, port, &names);
    shop.terminate();
}

/// The file asks for no loader, and the check can tell.
fn check_file(program: &Path) {
    let binary = std::fs::read(program).unwrap();
    assert!(!asks_for_a_loader(&binary), "{}", program.display());
    let other = std::fs::read(crate::harness::PROGRAM).unwrap();
    assert!(
        asks_for_a_loader(&other),
        "the program of the other tests is none of its kind"
    );
    eprintln!("the static program has {} KiB", binary.len() >> 10);
}

/// What is written can only be written to `/data`.
fn check_refusal(root: &Path) {
    let words = [
        "serve",
        "--store",
        "sqlite:/shop.db",
        "--addr",
        "127.0.0.1:0",
    ];
    let refused = run_in(root, &words);
    assert_eq!(refused.status.code(), Some(3), "{}", both(&refused));
}

/// Everybody who looks a name up finds it: by the name server and by the file.
fn check_names(root: &Path, port: &str, names: &NameServer) {
    let by = |host: &str| format!("http://{host}:{port}");
    for host in [NAME, "in-the-file"] {
        let healthy = run_in(root, &["healthcheck", &by(host)]);
        assert_eq!(healthy.status.code(), Some(0), "{host}: {}", both(&healthy));
    }
    let asked = names.asked();
    assert!(asked.iter().any(|asked| asked == NAME), "{asked:?}");
    let unknown = run_in(root, &["healthcheck", &by("nobody.double11.test")]);
    assert_eq!(unknown.status.code(), Some(3), "{}", both(&unknown));
    assert!(
        both(&unknown).contains("not reachable"),
        "{}",
        both(&unknown)
    );
    // The load engine looks its target up by itself.
    let target = by(NAME);
    let mut load = vec!["load", "orders", "--target", &target, "--users", "2"];
    load.extend([
        "--duration",
        "1s",
        "--out",
        "/data/run",
        "--param",
        "products=500",
    ]);
    let stormed = run_in(root, &load);
    assert!(
        matches!(stormed.status.code(), Some(0 | 4)),
        "{}",
        both(&stormed)
    );
    // And so does the client of a database, which is not there.
    let database = format!("mysql://shop@{NAME}:9/shop");
    let audited = run_in(root, &["audit", "--store", &database]);
    assert_eq!(audited.status.code(), Some(3), "{}", both(&audited));
    assert!(both(&audited).contains("refused"), "{}", both(&audited));
}
