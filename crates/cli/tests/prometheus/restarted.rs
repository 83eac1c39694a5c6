//! A shop that is killed and started anew in the middle of a run.

use std::time::Duration;

use crate::harness::{Server, both, free_port, pause, run};
use crate::server::Prometheus;
use crate::servers::prometheus_present;
use crate::spoilt::load;

#[test]
fn a_restart_in_mid_run_leaves_nothing_to_say() {
    if !prometheus_present() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let begin = || Server::start_on(folder.path(), port, &["--products", "500"]);
    let shop = begin();
    let prometheus = Prometheus::start(folder.path(), &[("ecommerce-app", &shop.target)]);
    prometheus.scrapes_each(2);
    let (target, out) = (shop.target.clone(), folder.path().join("run"));
    let again = std::thread::scope(|scope| {
        let load = scope.spawn(|| load(&target, &out, "10s"));
        pause(Duration::from_secs(5));
        shop.kill();
        let again = begin();
        load.join().unwrap();
        again
    });
    prometheus.scrapes_each(2);
    let folder = out.display().to_string();
    let output = run([
        "validate",
        "--run",
        &folder,
        "--prometheus",
        &prometheus.url,
    ]);
    let said = both(&output);
    assert_eq!(output.status.code(), Some(4), "{said}");
    let words = "cannot say, because the target restarted during the run";
    assert!(said.contains(words), "{said}");
    let file = out.join("samples.jtl").display().to_string();
    let output = run(["validate", "--jtl", &file, "--prometheus", &prometheus.url]);
    let said = both(&output);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("cannot say, because "), "{said}");
    assert!(again.terminate().success());
}
