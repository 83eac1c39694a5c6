//! Sums and counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use super::Invocation;
use crate::user::Trouble;

/// `__intSum(numbers…, variable)`: in 32 bits; the last argument is a number too if it looks like one.
pub(super) fn int_sum(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let mut sum = 0_i32;
    for index in 0..call.count() - 1 {
        let text = call.argument(index);
        let number = text.parse::<i32>();
        let number = number.map_err(|_| call.trouble(&format!("For input string: \"{text}\"")))?;
        sum = sum.wrapping_add(number);
    }
    let last = call.argument(call.count() - 1);
    let last = last.trim();
    match last.parse::<i32>() {
        Ok(number) => call.out.push_str(&sum.wrapping_add(number).to_string()),
        Err(_) => keep(call, last, &sum.to_string()),
    }
    Ok(())
}

/// `__longSum(numbers…, variable)`: in 64 bits.
pub(super) fn long_sum(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let mut sum = 0_i64;
    for index in 0..call.count() - 1 {
        let text = call.argument(index);
        sum = sum.wrapping_add(call.whole(&text)?);
    }
    let last = call.argument(call.count() - 1);
    let last = last.trim();
    match last.parse::<i64>() {
        Ok(number) => call.out.push_str(&sum.wrapping_add(number).to_string()),
        Err(_) => keep(call, last, &sum.to_string()),
    }
    Ok(())
}

/// `__doubleSum(numbers…, variable)`, of the functions plugin.
pub(super) fn double_sum(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let mut sum = 0.0;
    for index in 0..call.count() - 1 {
        let text = call.argument(index);
        let number = text.trim().parse::<f64>();
        sum += number.map_err(|_| call.trouble(&format!("For input string: \"{text}\"")))?;
    }
    let last = call.argument(call.count() - 1);
    let last = last.trim();
    match last.parse::<f64>() {
        Ok(number) => call.out.push_str(&super::java::double(sum + number)),
        Err(_) => keep(call, last, &super::java::double(sum)),
    }
    Ok(())
}

fn keep(call: &mut Invocation<'_>, variable: &str, sum: &str) {
    call.store(variable, sum);
    call.out.push_str(sum);
}

/// What one user keeps at a counter.
#[derive(Debug, Default)]
struct Counter {
    own: i32,
    shared: Option<Arc<AtomicI32>>,
}

/// `__counter(TRUE or FALSE, variable)`: from 1, for each user or for all.
pub(super) fn counter(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let own = call.argument(0).eq_ignore_ascii_case("true");
    let site = call.call.site;
    let run = Arc::clone(&call.user.run);
    let counter: &mut Counter = call.user.at_site(site);
    let count = if own {
        counter.own = counter.own.wrapping_add(1);
        counter.own
    } else {
        let shared = counter.shared.get_or_insert_with(|| run.kept(site));
        shared.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    };
    call.yields(itoa::Buffer::new().format(count), 1);
    Ok(())
}
