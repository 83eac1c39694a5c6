//! Queues between users, of the plugins' Inter-Thread Communication.

use super::Invocation;
use crate::processors::Queue;
use crate::user::Trouble;

/// `__fifoPut(queue, text)`: puts a text into a queue and yields it.
pub(super) fn put(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let name = call.argument(0);
    let value = call.argument(1);
    if !Queue::of(&call.user.run, &name).put(&call.user.run, &value) {
        return Err(call.trouble(&format!("the queue {name} is full")));
    }
    call.out.push_str(&value);
    Ok(())
}

/// `__fifoGet(queue, variable)`: the text that comes next, which stays; empty when there is none.
pub(super) fn get(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let name = call.argument(0);
    let value = Queue::of(&call.user.run, &name).peek();
    call.yields(value.as_deref().unwrap_or_default(), 1);
    Ok(())
}

/// `__fifoSize(queue, variable)`: how many texts are in a queue.
pub(super) fn size(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let name = call.argument(0);
    let size = Queue::of(&call.user.run, &name).len();
    call.yields(&size.to_string(), 1);
    Ok(())
}
