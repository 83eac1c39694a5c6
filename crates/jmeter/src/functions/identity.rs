//! Who runs: threads, groups, the plan, the machine.

use std::net::{IpAddr, ToSocketAddrs};
use std::sync::OnceLock;

use super::Invocation;
use crate::user::Trouble;

/// `__threadNum`: the number of the user within its thread group, from 1.
pub(super) fn thread_number(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let name = &call.user.thread_name;
    let number = name.rsplit('-').next().unwrap_or_default();
    call.out.push_str(number);
    Ok(())
}

/// `__threadGroupName`
pub(super) fn thread_group_name(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    call.out.push_str(&call.user.group);
    Ok(())
}

/// `__samplerName(variable)`
pub(super) fn sampler_name(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let name = call.user.sampler.clone();
    call.yields(&name, 0);
    Ok(())
}

/// `__TestPlanName`: the name of the plan's file.
pub(super) fn test_plan_name(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    call.out.push_str(&call.user.run.plan_name);
    Ok(())
}

/// `__iterationNum`, of the functions plugin.
pub(super) fn iteration_number(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    call.out.push_str(&call.user.iteration.to_string());
    Ok(())
}

/// `__machineName(variable)`
pub(super) fn machine_name(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    call.yields(host_name(), 0);
    Ok(())
}

/// `__machineIP(variable)`: the address that the machine's name stands for.
pub(super) fn machine_ip(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    let address = ADDRESS.get_or_init(|| address_of(host_name()));
    call.yields(address, 0);
    Ok(())
}

/// The name of this machine.
pub(crate) fn host_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let names = rustix::system::uname();
        names.nodename().to_string_lossy().into_owned()
    })
}

fn address_of(name: &str) -> String {
    let found = (name, 0).to_socket_addrs().into_iter().flatten();
    let mut found: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    // Java asks for addresses of version 4 first.
    found.sort_by_key(|address| !address.is_ipv4());
    found
        .first()
        .map_or("127.0.0.1".to_owned(), IpAddr::to_string)
}
