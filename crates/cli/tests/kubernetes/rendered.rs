//! What `kubectl kustomize` makes of the folders of `k8s/`, as objects.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{both, skip};

/// Every folder that is applied as a whole.
pub(crate) const FOLDERS: [&str; 10] = [
    "namespace",
    "data",
    "monitoring",
    "store/baseline",
    "store/optimized",
    "overlays/baseline",
    "overlays/optimized",
    "load/base",
    "load/jmeter",
    "load/shards",
];

/// Both variants of the shop.
pub(crate) const VARIANTS: [&str; 2] = ["baseline", "optimized"];

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap().to_owned()
}

/// The text of a file below the root.
pub(crate) fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The folders that programs are looked for in.
#[expect(clippy::disallowed_methods, reason = "as a shell looks for programs")]
pub(crate) fn search_path() -> String {
    std::env::var("PATH").unwrap()
}

/// kubectl of the machine, or the one that scripts/install-test-tools.sh got.
pub(crate) fn kubectl() -> Option<PathBuf> {
    let path = search_path();
    let on_path = path
        .split(':')
        .map(|folder| Path::new(folder).join("kubectl"));
    let installed = root().join("target/test-tools/python/bin/kubectl");
    let found = on_path.chain([installed]).find(|program| program.exists());
    if found.is_none() {
        skip("there is no kubectl");
    }
    found
}

/// The manifests of a folder of `k8s/`; none, said so, without kubectl.
pub(crate) fn manifests(folder: &str) -> Option<String> {
    let rendered = Command::new(kubectl()?)
        .arg("kustomize")
        .arg(root().join("k8s").join(folder))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(rendered.status.success(), "{folder}: {}", both(&rendered));
    Some(String::from_utf8(rendered.stdout).unwrap())
}

/// One object of a rendered folder.
#[derive(Clone, Debug)]
pub(crate) struct Object(pub(crate) Value);

/// The objects of a folder.
pub(crate) fn objects(folder: &str) -> Option<Vec<Object>> {
    Some(parse(&manifests(folder)?))
}

/// The objects of all folders, each once.
pub(crate) fn all_objects() -> Option<Vec<Object>> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        found.extend(objects(folder)?);
    }
    Some(found)
}

/// The objects of a stream of documents.
pub(crate) fn parse(manifests: &str) -> Vec<Object> {
    let documents = manifests.split("\n---\n");
    documents
        .map(|document| Object(serde_saphyr::from_str(document).unwrap()))
        .collect()
}

impl Object {
    pub(crate) fn kind(&self) -> &str {
        self.0["kind"].as_str().unwrap()
    }

    pub(crate) fn name(&self) -> &str {
        self.0["metadata"]["name"].as_str().unwrap()
    }

    /// The namespace that it is in; its own for a namespace, empty for what belongs to the whole cluster.
    pub(crate) fn namespace(&self) -> &str {
        if self.kind() == "Namespace" {
            return self.name();
        }
        self.0["metadata"]["namespace"].as_str().unwrap_or("")
    }

    /// Kind and name, for messages.
    pub(crate) fn label(&self) -> String {
        format!("{} {}/{}", self.kind(), self.namespace(), self.name())
    }

    /// What a workload makes its pods from.
    pub(crate) fn template(&self) -> Option<&Value> {
        matches!(self.kind(), "Deployment" | "StatefulSet" | "Job")
            .then(|| &self.0["spec"]["template"])
    }

    /// The containers of a workload's pods, those that come first included.
    pub(crate) fn containers(&self) -> Vec<&Value> {
        let Some(template) = self.template() else {
            return Vec::new();
        };
        let list = |name: &str| {
            template["spec"][name]
                .as_array()
                .map_or(&[][..], Vec::as_slice)
        };
        list("initContainers")
            .iter()
            .chain(list("containers"))
            .collect()
    }
}

/// The only object of a kind, or that of a name.
pub(crate) fn only<'all>(objects: &'all [Object], kind: &str, name: &str) -> &'all Object {
    let mut found = objects
        .iter()
        .filter(|object| object.kind() == kind && object.name() == name);
    let first = found.next().unwrap_or_else(|| panic!("no {kind} {name}"));
    assert!(found.next().is_none(), "two of {kind} {name}");
    first
}

/// Whether every pair of `part` is in `whole`.
pub(crate) fn is_part(part: &Value, whole: &Value) -> bool {
    let part = part.as_object().unwrap();
    !part.is_empty() && part.iter().all(|(name, value)| &whole[name] == value)
}

/// A quantity of processors, in thousandths.
pub(crate) fn millicores(quantity: &Value) -> u64 {
    let text = quantity
        .as_str()
        .map_or_else(|| quantity.to_string(), str::to_owned);
    match text.strip_suffix('m') {
        Some(number) => number.parse().unwrap(),
        None => text.parse::<u64>().unwrap() * 1_000,
    }
}

/// A quantity of memory, in mebibytes.
pub(crate) fn mebibytes(quantity: &Value) -> u64 {
    let text = quantity.as_str().unwrap();
    let number = |suffix: &str| text.strip_suffix(suffix).map(|n| n.parse::<u64>().unwrap());
    match (number("Mi"), number("Gi")) {
        (Some(mebibytes), _) => mebibytes,
        (None, Some(gibibytes)) => gibibytes * 1_024,
        (None, None) => panic!("{text} is not in Mi or Gi"),
    }
}

/// The value of `--name=value` among arguments.
pub(crate) fn argument<'all>(container: &'all Value, name: &str) -> Option<&'all str> {
    let arguments = container["args"].as_array()?;
    arguments.iter().find_map(|argument| {
        let rest = argument.as_str()?.strip_prefix(name)?;
        rest.strip_prefix('=')
    })
}

/// The value of an environment variable that is written down.
pub(crate) fn variable<'all>(container: &'all Value, name: &str) -> Option<&'all str> {
    let variables = container["env"].as_array()?;
    let found = variables.iter().find(|variable| variable["name"] == name)?;
    found["value"].as_str()
}
