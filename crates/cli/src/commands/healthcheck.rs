//! `double11 healthcheck`: whether a shop is ready, for containers, which ask by a program of their
//! own image.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use ureq::http::Uri;

use super::no_answer;
use crate::arguments::Healthcheck;
use crate::exit::{CommandResult, Exit, Failure};

/// The page that says whether a shop takes requests.
const READINESS: &str = "/actuator/health/readiness";

pub(crate) fn run(arguments: &Healthcheck) -> CommandResult {
    let page = if let Some(url) = &arguments.url {
        page_of(url)?
    } else {
        let addr = arguments.management_addr.unwrap_or(arguments.addr);
        format!("http://{}{READINESS}", reachable(addr))
    };
    match ask(&page, arguments.timeout) {
        Ok(200) => Ok(Exit::Done),
        Ok(status) => Err(Failure::environment(anyhow::anyhow!(
            "not ready: `{page}` answers {status}"
        ))),
        Err(error) => Err(Failure::environment(anyhow::anyhow!(
            "not reachable: `{page}`: {}",
            no_answer::in_words(&error)
        ))),
    }
}

/// The page to ask: what was given, where that names a page, else the readiness of the shop there.
fn page_of(url: &str) -> Result<String, Failure> {
    let wrong = |problem: &str| {
        Failure::usage(anyhow::anyhow!("the address is {problem}"))
            .hint("write `double11 healthcheck http://127.0.0.1:8080`")
    };
    let uri: Uri = url.parse().map_err(|_| wrong("no URL"))?;
    let authority = uri.authority().ok_or_else(|| wrong("without a host"))?;
    // It is not repeated, since it may hold a password.
    if authority.as_str().contains('@') {
        return Err(wrong("with a user name, for which there is no use"));
    }
    if uri.scheme_str() != Some("http") {
        return Err(wrong("not `http://…`: a check within a machine has no TLS"));
    }
    let named = uri.path_and_query().map_or("/", |path| path.as_str());
    let path = if named == "/" { READINESS } else { named };
    Ok(format!("http://{authority}{path}"))
}

/// Where a shop that listens on all addresses is reached from the machine itself.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

/// The status that the page answers with.
fn ask(page: &str, limit: Duration) -> Result<u16, ureq::Error> {
    let agent = ureq::Agent::config_builder()
        .timeout_global(Some(limit))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .build()
        .new_agent();
    Ok(agent.get(page).call()?.status().as_u16())
}

#[cfg(test)]
mod tests {
    use super::{page_of, reachable};

    #[test]
    fn a_shop_is_asked_for_its_readiness_and_a_page_for_itself() {
        for (url, expected) in [
            (
                "http://shop:8080",
                "http://shop:8080/actuator/health/readiness",
            ),
            ("http://[::1]/", "http://[::1]/actuator/health/readiness"),
            ("http://shop/health?x=1", "http://shop/health?x=1"),
        ] {
            assert_eq!(page_of(url).unwrap(), expected);
        }
        for url in [
            "",
            "shop",
            "/health",
            "https://shop",
            "http://u:hidden@shop",
        ] {
            let failure = format!("{:?}", page_of(url).unwrap_err());
            assert!(
                failure.contains("Usage") && !failure.contains("hidden"),
                "{failure}"
            );
        }
    }

    #[test]
    fn all_addresses_are_reached_by_the_loopback() {
        for (addr, expected) in [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("10.0.0.7:80", "10.0.0.7:80"),
        ] {
            assert_eq!(reachable(addr.parse().unwrap()).to_string(), expected);
        }
    }
}
