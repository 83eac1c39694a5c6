//! `JMeter`'s properties from the command line and from files, merged once.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context as _;
use double11_jmeter::properties;

use crate::arguments::Jmeter;
use crate::exit::Failure;

/// Properties of a run.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// `JMeter`'s own, which plans see.
    pub(super) properties: HashMap<String, String>,
    /// Java's, which plans do not see.
    pub(super) system: HashMap<String, String>,
}

impl Settings {
    /// Reads property files and options, later ones over earlier ones.
    pub(super) fn of(arguments: &Jmeter) -> Result<Self, Failure> {
        let mut settings = Self::default();
        if let Some(file) = &arguments.property_file {
            settings.properties.extend(read("-p", file)?);
        } else {
            let built_in = properties::BUILT_IN;
            let owned = built_in.map(|(name, value)| (name.to_owned(), value.to_owned()));
            settings.properties.extend(owned);
        }
        for (name, is_system) in [("user.properties", false), ("system.properties", true)] {
            let file = settings.properties.get(name);
            let file = file.map_or(name, String::as_str).to_owned();
            if !file.is_empty() && Path::new(&file).is_file() {
                let read = read(name, Path::new(&file))?;
                settings.map(is_system).extend(read);
            }
        }
        for file in &arguments.more_properties {
            settings.properties.extend(read("-q", file)?);
        }
        for file in &arguments.system_property_file {
            settings.system.extend(read("-S", file)?);
        }
        for definition in &arguments.system_property {
            define(&mut settings.system, definition);
        }
        for definition in &arguments.property {
            define(&mut settings.properties, definition);
        }
        for definition in &arguments.global_property {
            match definition.split_once('=') {
                Some(_) => define(&mut settings.properties, definition),
                None => settings
                    .properties
                    .extend(read("-G", Path::new(definition))?),
            }
        }
        settings.set_proxy(arguments);
        Ok(settings)
    }

    /// A property of `JMeter`, else one of Java.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let own = self.properties.get(name);
        own.or_else(|| self.system.get(name)).cloned()
    }

    fn map(&mut self, is_system: bool) -> &mut HashMap<String, String> {
        if is_system {
            &mut self.system
        } else {
            &mut self.properties
        }
    }

    /// The proxy of the command line, under the names that `JMeter` gives it.
    fn set_proxy(&mut self, arguments: &Jmeter) {
        let port = arguments.proxy_port.map(|port| port.to_string());
        for (names, value) in [
            (
                &["http.proxyHost", "https.proxyHost"][..],
                &arguments.proxy_host,
            ),
            (&["http.proxyPort", "https.proxyPort"], &port),
            (&["http.proxyScheme"], &arguments.proxy_scheme),
            (
                &["http.nonProxyHosts", "https.nonProxyHosts"],
                &arguments.non_proxy_hosts,
            ),
        ] {
            for name in names {
                let pair = value.clone().map(|value| ((*name).to_owned(), value));
                self.system.extend(pair);
            }
        }
        for (name, value) in [
            ("http.proxyUser", &arguments.proxy_user),
            ("http.proxyPass", &arguments.proxy_password),
        ] {
            let pair = value.clone().map(|value| (name.to_owned(), value));
            self.properties.extend(pair);
        }
    }
}

/// `name=value` sets a property, `name` and `name=` take it away.
fn define(properties: &mut HashMap<String, String>, definition: &str) {
    match definition.split_once('=') {
        Some((name, value)) if !value.is_empty() => {
            properties.insert(name.to_owned(), value.to_owned());
        }
        Some((name, _)) => drop(properties.remove(name)),
        None => drop(properties.remove(definition)),
    }
}

fn read(option: &str, file: &Path) -> Result<Vec<(String, String)>, Failure> {
    let bytes = std::fs::read(file)
        .with_context(|| {
            format!(
                "`{option}`: cannot read the property file `{}`",
                file.display()
            )
        })
        .map_err(|error| Failure::usage(error).hint("name a file of lines such as `users=100`"))?;
    Ok(properties::parse(&bytes))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::arguments::{Arguments, Command};

    use super::*;

    fn settings(words: &[&str]) -> Settings {
        let words = ["double11", "jmeter"].iter().chain(words);
        let Command::Jmeter(arguments) = Arguments::try_parse_from(words).unwrap().command else {
            panic!("another command");
        };
        Settings::of(&arguments).unwrap()
    }

    #[test]
    fn properties_are_given_as_jmeter_takes_them() {
        let set = settings(&[
            "-n",
            "-tplan.jmx",
            "-Jusers=100",
            "-J",
            "a=b=c",
            "-Gx=1",
            "-Dy=2",
            "--jmeterproperty",
            "long=5",
        ]);
        let get = |name: &str| set.get(name).unwrap_or_default();
        assert_eq!(
            [get("users"), get("a"), get("x"), get("y"), get("long")],
            ["100", "b=c", "1", "2", "5"]
        );
        assert!(!set.properties.contains_key("y"));
        assert_eq!(get("summariser.name"), "summary");
    }

    #[test]
    fn a_property_without_a_value_is_taken_away() {
        let set = settings(&["-n", "-t", "p", "-Jsummariser.name"]);
        assert_eq!(set.get("summariser.name"), None);
    }

    #[test]
    fn files_come_before_options() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("more.properties");
        std::fs::write(&file, "users=1\nother : 2\n").unwrap();
        let file = file.to_str().unwrap();
        let set = settings(&["-n", "-t", "p", "-Jusers=3", "-q", file]);
        assert_eq!(set.get("users").unwrap(), "3");
        assert_eq!(set.get("other").unwrap(), "2");
        let set = settings(&["-n", "-t", "p", "-p", file]);
        assert_eq!(
            set.get("summariser.name"),
            None,
            "the file stands for the built-in ones"
        );
    }

    #[test]
    fn the_proxy_has_javas_names() {
        let set = settings(&[
            "-n", "-t", "p", "-H", "proxy", "-P", "3128", "-u", "me", "-a", "x",
        ]);
        assert_eq!(set.get("https.proxyHost").unwrap(), "proxy");
        assert_eq!(set.get("http.proxyPort").unwrap(), "3128");
        assert_eq!(set.get("http.proxyUser").unwrap(), "me");
    }
}
