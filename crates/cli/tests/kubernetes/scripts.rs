//! `scripts/*_test.sh` on a cluster that only answers: `kubectl` is a stand-in that writes down what it is asked and
//! answers as a case says. What is missing is named before anything is deployed, and nothing is deleted that the
//! scripts did not make.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use crate::harness::{PROGRAM, both};
use crate::rendered::{kubectl, root, search_path};

/// Stands for kubectl. `kustomize` is the real one's; everything else is written down and answered by the first line
/// of `answers` (`PATTERN<tab>CODE<tab>TEXT`) whose pattern, a pattern of the shell, matches the arguments.
const STAND_IN: &str = r#"#!/bin/bash
here=$(dirname "$0")
if [ "$1" = kustomize ]; then exec "$REAL_KUBECTL" "$@"; fi
asked="$*"
case $asked in *--filename=-*) asked="$asked <<< $(cat | grep -E '^(kind|  name):' | tr '\n' ' ')" ;; esac
printf '%s\n' "$asked" >>"$here/asked"
while IFS=$'\t' read -r pattern code text; do
  # shellcheck disable=SC2053
  if [[ $asked == $pattern ]]; then printf '%b' "$text"; exit "$code"; fi
done <"$here/answers"
exit 0
"#;

/// A laptop's cluster without anything on it, that takes everything.
const FRESH: &str = "\
config current-context\t0\tkind-double11\\n
*auth can-i*\t0\tyes\\n
*get namespace ecommerce*\t1\t
*get resourcequota*\t0\t
*get apiservice*\t0\tTrue
*get pod double11-image-probe*phase*\t0\tSucceeded
*get pod double11-image-probe*reason*\t0\t
*get secret ecommerce-data-secrets*go-template*\t0\tsecret
*get secret ecommerce-data-secrets*\t1\t
*get pod --namespace=ecommerce-data --selector=job-name=ecommerce-store *\t0\tSucceeded
*get pod --namespace=ecommerce-load --selector=job-name=ecommerce-jmeter --output=jsonpath*\t0\tRunning
*get pod --namespace=ecommerce-load*--output=name*\t0\tpod/ecommerce-jmeter-x\\n
*exec pod/ecommerce-jmeter-x*cat /results/normal.jtl\t0\tnormal results\\n
*exec pod/ecommerce-jmeter-x*cat /results/peak.jtl\t0\tpeak results\\n
*exec deployment/prometheus*\t0\t{\"status\":\"success\"}
";

struct Cluster {
    folder: tempfile::TempDir,
}

impl Cluster {
    /// Answers of `FRESH`, with others before them.
    fn new(first: &str) -> Option<Self> {
        kubectl()?;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kubectl");
        std::fs::write(&file, STAND_IN).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(folder.path().join("answers"), format!("{first}{FRESH}")).unwrap();
        std::fs::write(folder.path().join("asked"), "").unwrap();
        Some(Self { folder })
    }

    fn run(&self, variant: &str, more: &[&str]) -> Output {
        let real = kubectl().unwrap();
        let path = format!("{}:{}", self.folder.path().display(), search_path());
        Command::new("bash")
            .arg(root().join(format!("scripts/{variant}_test.sh")))
            .arg("--out")
            .arg(self.folder.path().join("out"))
            .args(more)
            .env("PATH", path)
            .env("REAL_KUBECTL", real)
            .env("DOUBLE11", PROGRAM)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn asked(&self) -> Vec<String> {
        let asked = std::fs::read_to_string(self.folder.path().join("asked")).unwrap();
        asked.lines().map(str::to_owned).collect()
    }

    fn out(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join("out").join(name)).unwrap()
    }
}

/// What a cluster answers, what the script is told, what it says, and what it says to do.
type Unfit = (
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
);

/// Every way in which a cluster can be unfit.
const UNFIT: [Unfit; 10] = [
    (
        "config current-context\t1\t",
        &[],
        "there is no cluster",
        "--local",
    ),
    (
        "config current-context\t0\tprod-eu\\n",
        &[],
        "prod-eu, is not known to be a laptop's cluster",
        "--context prod-eu",
    ),
    (
        "config get-contexts nowhere*\t1\t",
        &["--context", "nowhere"],
        "kubectl knows no context nowhere",
        "get-contexts",
    ),
    (
        "*get --raw /readyz*\t1\t",
        &[],
        "kind-double11 does not answer",
        "kind create cluster",
    ),
    (
        "*auth can-i*\t1\tno\\n",
        &[],
        "may not create namespaces",
        "cluster of your own",
    ),
    (
        "*get namespace ecommerce-data*\t0\t",
        &[],
        "the namespace ecommerce-data is there and was not made by these scripts",
        "another cluster",
    ),
    (
        "*get resourcequota*\t0\tsmall 1 4Gi\\n",
        &[],
        "quota small of namespace ecommerce allows limits.cpu=1; 11 shops need 1980m",
        "maxReplicas",
    ),
    (
        "*get resourcequota*\t0\tsmall - 2Gi\\n",
        &[],
        "allows limits.memory=2Gi; 11 shops need 4048Mi",
        "maxReplicas",
    ),
    (
        "*get apiservice*\t1\t",
        &[],
        "no metrics-server",
        "minikube addons enable metrics-server",
    ),
    (
        "*get pod double11-image-probe*phase*\t0\tPending\n*get pod double11-image-probe*reason*\t0\tErrImageNeverPull",
        &[],
        "the nodes do not have the image double11:dev (ErrImageNeverPull)",
        "kind load docker-image double11:dev",
    ),
];

/// Each is named with what to do, and nothing was deployed or deleted before.
#[test]
fn what_is_missing_is_named_before_anything_is_deployed() {
    for (answers, options, message, hint) in UNFIT {
        let Some(cluster) = Cluster::new(&format!("{answers}\n")) else {
            return;
        };
        let output = cluster.run("baseline", options);
        let said = both(&output);
        assert_eq!(output.status.code(), Some(3), "{message}: {said}");
        assert!(said.contains(message), "{message}: {said}");
        assert!(
            said.lines()
                .any(|line| line.starts_with("hint: ") && line.contains(hint)),
            "{hint}: {said}"
        );
        for asked in cluster.asked() {
            let deploys = ["apply", "create", "label", "patch", "scale"]
                .iter()
                .any(|it| asked.split(' ').any(|word| word == *it));
            assert!(
                !deploys || asked.contains("auth can-i"),
                "{message}: {asked}"
            );
            assert!(deletes_only_ours(&asked), "{message}: {asked}");
        }
    }
}

/// Whether a question deletes nothing, or only what carries our label, or the pod that tries the image.
fn deletes_only_ours(asked: &str) -> bool {
    let ours = asked.contains("--selector=app.kubernetes.io/part-of=double11")
        || asked.contains("delete pod double11-image-probe");
    let whole = asked.contains("delete namespace") || asked.contains("--all");
    !asked.contains("delete ") || (ours && !whole)
}

/// A quota that is large enough, in any of Kubernetes' ways to write it, is none in the way.
#[test]
fn quotas_are_read_as_kubernetes_writes_them() {
    for (quota, fits) in [
        ("a 2 4Gi", true),
        ("a 1980m 4048Mi", true),
        ("a 1979m 4Gi", false),
        ("a 2.5 4Gi", true),
        ("a 2 4047Mi", false),
        ("a 2 5G", true),
        ("a 2 4G", false),
        ("a 2 4294967296", true),
        ("a - -", true),
    ] {
        let Some(cluster) = Cluster::new(&format!("*get resourcequota*\t0\t{quota}\\n\n")) else {
            return;
        };
        let output = cluster.run("baseline", &["--quick"]);
        assert_eq!(output.status.success(), fits, "{quota}: {}", both(&output));
    }
}

/// The whole way: everything that is applied is ours, in an order in which each finds what it needs; whatever is deleted
/// is chosen by our label; the results are fetched.
#[test]
fn a_variant_is_deployed_stormed_and_collected() {
    for variant in ["baseline", "optimized"] {
        let Some(cluster) = Cluster::new("") else {
            return;
        };
        let output = cluster.run(variant, &["--quick"]);
        assert!(output.status.success(), "{}", both(&output));
        let asked = cluster.asked();
        let at = |what: &str| {
            let found = asked.iter().position(|line| line.contains(what));
            found.unwrap_or_else(|| panic!("{what} was never asked: {asked:#?}"))
        };
        let order = [
            "delete pod --namespace=default",
            "name: ecommerce-quota",
            "create secret generic ecommerce-data-secrets",
            "kind: StatefulSet",
            "name: ecommerce-prometheus",
            "rollout status statefulset/mysql",
            "delete deployment,horizontalpodautoscaler --namespace=ecommerce",
            "name: ecommerce-store",
            "job-name=ecommerce-store",
            "name: ecommerce-hpa",
            "rollout status deployment/ecommerce-app",
            "name: ecommerce-jmeter",
            "job-name=ecommerce-jmeter",
            "cat /results/normal.jtl",
            "touch /results/collected",
            "exec deployment/prometheus",
        ];
        let places: Vec<_> = order.iter().map(|what| at(what)).collect();
        assert!(places.is_sorted(), "{places:?} {asked:#?}");
        for line in &asked {
            assert!(deletes_only_ours(line), "{line}");
        }
        assert_eq!(
            cluster.out(&format!("{variant}_normal.jtl")),
            "normal results\n"
        );
        assert_eq!(
            cluster.out(&format!("{variant}_peak.jtl")),
            "peak results\n"
        );
        for metrics in ["metrics", "throttling"] {
            assert_eq!(
                cluster.out(&format!("{variant}_{metrics}.json")),
                "{\"status\":\"success\"}"
            );
        }
    }
}

/// A job that fails ends the test at once, instead of when its time is over.
#[test]
fn a_job_that_fails_is_said_at_once() {
    for (job, namespace, message) in [
        (
            "ecommerce-store",
            "ecommerce-data",
            "the store could not be made (Failed)",
        ),
        (
            "ecommerce-jmeter",
            "ecommerce-load",
            "the plans were not run to their end (Failed)",
        ),
    ] {
        let failed =
            format!("*get pod --namespace={namespace} --selector=job-name={job} *\t0\tFailed\n");
        let Some(cluster) = Cluster::new(&failed) else {
            return;
        };
        let output = cluster.run("baseline", &["--quick"]);
        assert_eq!(output.status.code(), Some(3), "{}", both(&output));
        assert!(both(&output).contains(message), "{}", both(&output));
    }
}

/// What fails without a word of its own is never taken for a missed target.
#[test]
fn a_question_that_fails_is_no_missed_target() {
    let Some(cluster) = Cluster::new("*label secret*\t1\t\n") else {
        return;
    };
    let output = cluster.run("baseline", &["--quick"]);
    assert_eq!(output.status.code(), Some(3), "{}", both(&output));
    assert!(
        both(&output).contains("a command failed in line"),
        "{}",
        both(&output)
    );
}

/// A context that was named is used for every question, and another image is put in the place of ours.
#[test]
fn context_and_image_are_those_that_were_named() {
    let Some(cluster) = Cluster::new("config get-contexts prod*\t0\tprod\n") else {
        return;
    };
    let output = cluster.run(
        "baseline",
        &["--quick", "--context", "prod", "--image", "mine/double11:2"],
    );
    assert!(output.status.success(), "{}", both(&output));
    let asked = cluster.asked();
    assert!(
        asked
            .iter()
            .any(|line| line.contains("--image=mine/double11:2") && line.contains("IfNotPresent"))
    );
    for line in asked.iter().filter(|line| !line.starts_with("config ")) {
        assert!(line.starts_with("--context prod "), "{line}");
    }
}

#[test]
fn wrong_options_are_refused() {
    for (options, message) in [
        (&["--fast"][..], "unknown option --fast"),
        (&["--out"][..], "--out needs a value"),
        (
            &["--driver", "gatling"][..],
            "--driver is double11 or jmeter, not gatling",
        ),
    ] {
        let output = Command::new("bash")
            .arg(root().join("scripts/baseline_test.sh"))
            .args(options)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(both(&output).contains(message), "{}", both(&output));
    }
}
