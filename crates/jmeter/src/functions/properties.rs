//! Properties and the environment.

use super::Invocation;
use crate::user::Trouble;

/// `__P(name, default)`: `1` when there is neither property nor default.
pub(super) fn p(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let name = call.argument(0);
    if let Some(value) = call.user.run.property(&name) {
        call.out.push_str(value.trim());
    } else {
        let default = call.given(1).unwrap_or("1".into());
        call.out.push_str(default.trim());
    }
    Ok(())
}

/// `__property(name, variable, default)`: its own name when there is neither property nor default.
pub(super) fn property(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let name = call.argument(0);
    let default = call.given(2).unwrap_or(name.clone());
    let found = call.user.run.property(&name);
    let value = found.as_deref().unwrap_or(&default).trim();
    let variable = call.argument(1);
    call.store(&variable, value);
    call.out.push_str(value);
    Ok(())
}

/// `__setProperty(name, value, true)`: yields the former value when asked, `null` when there was none.
pub(super) fn set_property(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let name = call.argument(0);
    let value = call.argument(1);
    let tells = call.argument(2).eq_ignore_ascii_case("true");
    let former = call.user.run.set_property(&name, &value);
    if tells {
        call.out.push_str(former.as_deref().unwrap_or("null"));
    }
    Ok(())
}

/// `__isPropDefined(name)`
pub(super) fn is_property_defined(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let name = call.argument(0);
    let defined = call.user.run.property(&name).is_some();
    call.out.push_str(if defined { "true" } else { "false" });
    Ok(())
}

/// `__env(name, variable, default)`, of the functions plugin: a variable of the environment.
pub(super) fn env(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let name = call.argument(0);
    let default = call.given(2).unwrap_or(name.clone());
    let found = call.user.run.environment.get(name.as_ref());
    let value = found
        .map_or(default.as_ref(), String::as_str)
        .trim()
        .to_owned();
    let variable = call.argument(1);
    call.store(&variable, &value);
    call.out.push_str(&value);
    Ok(())
}
