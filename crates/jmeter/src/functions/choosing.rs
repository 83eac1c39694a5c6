//! Random numbers, texts and identifiers, drawn from the user's own stream.

use double11_load::random::Stream;

use super::Invocation;
use crate::user::Trouble;

/// The longest random text.
const LENGTH_MAX: usize = 16 << 20;

/// `__Random(minimum, maximum, variable)`: a whole number, both ends included.
pub(super) fn random(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let minimum = call.argument(0);
    let minimum = call.whole(minimum.trim())?;
    let maximum = call.argument(1);
    let maximum = call.whole(maximum.trim())?;
    if minimum > maximum {
        return Err(call.trouble("bound must be greater than origin"));
    }
    let drawn = between(&mut call.user.random, minimum, maximum);
    let mut digits = itoa::Buffer::new();
    call.yields(digits.format(drawn), 2);
    Ok(())
}

/// A whole number, both ends included.
pub(super) fn between(random: &mut Stream, minimum: i64, maximum: i64) -> i64 {
    let drawn = random.between(0, maximum.abs_diff(minimum));
    minimum.wrapping_add_unsigned(drawn)
}

/// One of `count` things.
pub(super) fn index(random: &mut Stream, count: usize) -> usize {
    let last = u64::try_from(count.saturating_sub(1)).unwrap_or(u64::MAX);
    usize::try_from(random.between(0, last)).unwrap_or(0)
}

/// `__RandomString(length, characters, variable)`: any characters at all when none are named.
pub(super) fn random_string(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let length = call.argument(0);
    let length = usize::try_from(call.whole(&length)?).ok();
    let Some(length) = length.filter(|length| *length <= LENGTH_MAX) else {
        return Err(call.trouble("a length that is not possible"));
    };
    let characters = call.argument(1);
    let characters: Vec<char> = characters.trim().chars().collect();
    let random = &mut call.user.random;
    let text: String = if characters.is_empty() {
        (0..length).map(|_| any_character(random)).collect()
    } else {
        let one = |_| characters[index(random, characters.len())];
        (0..length).map(one).collect()
    };
    call.yields(&text, 2);
    Ok(())
}

/// A letter or digit of the basic plane.
fn any_character(random: &mut Stream) -> char {
    loop {
        let drawn = u32::try_from(random.between(0x20, 0xfffd)).unwrap_or(0x20);
        if let Some(drawn) = char::from_u32(drawn).filter(|c| c.is_alphanumeric()) {
            return drawn;
        }
    }
}

/// `__RandomFromMultipleVars(names separated by |, variable)`: the value of one of these variables; one
/// with `_matchNr` stands for all its matches.
pub(super) fn random_from_variables(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let names = call.argument(0);
    let mut values = Vec::new();
    for name in names.trim().split('|').filter(|name| !name.is_empty()) {
        let variables = &call.user.variables;
        let matches = variables.get(&format!("{name}_matchNr")).unwrap_or("0");
        let matches = if matches.is_empty() { "0" } else { matches };
        let Ok(matches) = matches.parse::<i32>() else {
            return Err(call.trouble("`_matchNr` is no number"));
        };
        let value = variables.get(name).filter(|value| !value.is_empty());
        if matches > 0 {
            let numbered = (1..=matches).map(|number| format!("{name}_{number}"));
            values.extend(numbered.map(|name| variables.get(&name).unwrap_or("null").to_owned()));
        } else {
            values.extend(value.map(str::to_owned));
        }
    }
    let chosen = if values.is_empty() {
        String::new()
    } else {
        let chosen = index(&mut call.user.random, values.len());
        values.swap_remove(chosen)
    };
    call.yields(&chosen, 1);
    Ok(())
}

/// `__chooseRandom(one, another, …, variable)`, of the functions plugin.
pub(super) fn choose_random(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let last = call.count() - 1;
    let chosen = index(&mut call.user.random, last);
    let chosen = call.argument(chosen);
    call.yields(&chosen, last);
    Ok(())
}

/// `__UUID`: a random one, version 4.
pub(super) fn uuid(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let uuid = random_uuid(&mut call.user.random);
    call.out.push_str(&uuid);
    Ok(())
}

/// A random UUID, version 4.
pub(super) fn random_uuid(random: &mut Stream) -> String {
    let drawn = (u128::from(random.bits()) << 64) | u128::from(random.bits());
    let uuid = uuid::Builder::from_random_bytes(drawn.to_be_bytes());
    uuid.into_uuid().to_string()
}
