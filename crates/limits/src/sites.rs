//! Where groups can be made: below the group of this process, or on version 2, where a group with
//! processes has no children that are controlled, below the nearest group above it that has none.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Limits;
use crate::group::{Group, Part, write};
use crate::hierarchy::{self, Controller, Hierarchy, Version};

/// What the names of our groups begin with; the id of the process follows.
const PREFIX: &str = "double11-";
/// The file of a group of version 2 that lists the controllers it may hand on.
const AVAILABLE: &str = "cgroup.controllers";
/// The file that lists those it does hand on.
const HANDED_ON: &str = "cgroup.subtree_control";

/// Why no group holds the limits.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// `/proc` does not tell of control groups.
    #[error("the control groups of this machine cannot be read")]
    Unreadable(#[source] io::Error),
    /// Nothing that could hold the limits is mounted, or not within reach.
    #[error("no control groups (cgroups) for {wanted} are mounted here")]
    Nowhere {
        /// The controllers that are needed.
        wanted: String,
    },
    /// A file of a group could not be written, or its folder made or removed.
    #[error("the control group `{}` cannot be written", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A place for a part of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    controllers: Vec<Controller>,
    /// The group of this process.
    home: PathBuf,
    /// The group that ours is made in.
    parent: PathBuf,
}

/// Places that together have every controller that is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Site {
    version: Version,
    places: Vec<Place>,
}

/// The sites of this machine, the best one first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sites {
    root: PathBuf,
    limits: Limits,
    choices: Vec<Site>,
}

impl Sites {
    /// Looks for control groups that can hold these limits, without changing anything. `root` is `/`,
    /// but in tests.
    ///
    /// # Errors
    /// [`LimitError::Unreadable`] and [`LimitError::Nowhere`].
    pub fn find(root: &Path, limits: Limits) -> Result<Self, LimitError> {
        let hierarchies = hierarchy::read(root).map_err(LimitError::Unreadable)?;
        let wanted = limits.controllers();
        let version_2 = hierarchies
            .iter()
            .filter(|one| one.version == Version::V2)
            .flat_map(|one| of_version_2(one, &wanted));
        let sites: Vec<Site> = version_2
            .chain(of_version_1(&hierarchies, &wanted))
            .collect();
        if sites.is_empty() || wanted.is_empty() {
            let names: Vec<&str> = wanted.iter().map(|wanted| wanted.name()).collect();
            return Err(LimitError::Nowhere {
                wanted: names.join(" and "),
            });
        }
        Ok(Self {
            root: root.to_owned(),
            limits,
            choices: sites,
        })
    }

    /// Makes a group for a process, with the limits set and nobody in it. `purpose` is for people who
    /// look at the machine.
    ///
    /// # Errors
    /// [`LimitError::Write`] of the first site, where none can be written.
    pub fn make(&self, process_id: u32, purpose: &str) -> Result<Group, LimitError> {
        let name = format!("{PREFIX}{process_id}-{purpose}");
        let mut first = None;
        for site in &self.choices {
            match site.make(&name, self.limits) {
                Ok(group) => return Ok(group),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or_else(|| LimitError::Nowhere {
            wanted: "anything".to_owned(),
        }))
    }

    /// The group that was made for a process, which may have ended.
    pub fn group_of(&self, process_id: u32) -> Option<Group> {
        let prefix = format!("{PREFIX}{process_id}-");
        self.choices.iter().find_map(|site| {
            let parts = site.places.iter().map(|place| {
                let mut names = names_in(&place.parent);
                let name = names.find(|name| name.starts_with(&prefix))?;
                Some(place.part(&name))
            });
            Some(Group {
                version: site.version,
                parts: parts.collect::<Option<_>>()?,
            })
        })
    }

    /// Removes what processes that are gone have left behind; tells how many folders. The kernel
    /// removes no group that has a process.
    pub fn sweep(&self) -> usize {
        let places = self.choices.iter().flat_map(|site| &site.places);
        let parents: BTreeSet<&Path> = places.map(|place| place.parent.as_path()).collect();
        let stale = parents.into_iter().flat_map(|parent| {
            let names = names_in(parent).filter(|name| self.is_stale(name));
            names.map(|name| parent.join(name)).collect::<Vec<_>>()
        });
        stale.filter(|path| fs::remove_dir(path).is_ok()).count()
    }

    fn is_stale(&self, name: &str) -> bool {
        let process = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('-'))
            .and_then(|(id, _)| id.parse::<u32>().ok());
        process.is_some_and(|id| !self.root.join(format!("proc/{id}")).exists())
    }
}

impl Place {
    fn part(&self, name: &str) -> Part {
        Part {
            controllers: self.controllers.clone(),
            home: self.home.clone(),
            path: self.parent.join(name),
        }
    }
}

impl Site {
    fn make(&self, name: &str, limits: Limits) -> Result<Group, LimitError> {
        let mut group = Group {
            version: self.version,
            parts: Vec::new(),
        };
        let made = self.places.iter().try_for_each(|place| {
            if self.version == Version::V2 {
                hand_on(&place.parent, &place.controllers)?;
            }
            let part = place.part(name);
            fs::create_dir(&part.path).map_err(|source| LimitError::Write {
                path: part.path.clone(),
                source,
            })?;
            group.parts.push(part);
            Ok(())
        });
        match made.and_then(|()| group.set(limits)) {
            Ok(()) => Ok(group),
            Err(error) => {
                // Why it could not be made is worth more than why what was made stays.
                group.remove().ok();
                Err(error)
            }
        }
    }
}

/// Lets the children of a group of version 2 be controlled. The kernel refuses it where the group has
/// processes itself.
fn hand_on(group: &Path, controllers: &[Controller]) -> Result<(), LimitError> {
    let missing: Vec<String> = controllers
        .iter()
        .filter(|controller| !lists(&group.join(HANDED_ON), **controller))
        .map(|controller| format!("+{}", controller.name()))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    write(&group.join(HANDED_ON), &missing.join(" "))
}

fn lists(path: &Path, controller: Controller) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace()
        .any(|name| name == controller.name())
}

/// The group of this process and those above it, the nearest first. A group that is limited itself is
/// not left: whoever limited it did not mean that its processes go elsewhere.
fn of_version_2(hierarchy: &Hierarchy, wanted: &[Controller]) -> Vec<Site> {
    let mut sites = Vec::new();
    for parent in hierarchy.home.ancestors() {
        let has = |controller: &Controller| lists(&parent.join(AVAILABLE), *controller);
        if wanted.iter().all(has) {
            sites.push(Site {
                version: Version::V2,
                places: vec![Place {
                    controllers: wanted.to_vec(),
                    home: hierarchy.home.clone(),
                    parent: parent.to_owned(),
                }],
            });
        }
        if parent == hierarchy.mount || is_limited(parent) {
            break;
        }
    }
    sites
}

fn is_limited(group: &Path) -> bool {
    ["cpu.max", "memory.max", "memory.high"]
        .into_iter()
        .filter_map(|file| fs::read_to_string(group.join(file)).ok())
        .any(|text| !text.starts_with("max"))
}

/// The group of this process in the tree of each controller.
fn of_version_1(hierarchies: &[Hierarchy], wanted: &[Controller]) -> Option<Site> {
    let mut places: Vec<Place> = Vec::new();
    for controller in wanted {
        let mut of_version = hierarchies.iter().filter(|one| one.version == Version::V1);
        let hierarchy = of_version.find(|one| one.has(*controller))?;
        let known = places.iter_mut().find(|place| place.home == hierarchy.home);
        match known {
            Some(place) => place.controllers.push(*controller),
            None => places.push(Place {
                controllers: vec![*controller],
                home: hierarchy.home.clone(),
                parent: hierarchy.home.clone(),
            }),
        }
    }
    Some(Site {
        version: Version::V1,
        places,
    })
}

/// Names of what is in a folder; none where it cannot be read.
fn names_in(folder: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok())
}

#[cfg(test)]
mod tests;
