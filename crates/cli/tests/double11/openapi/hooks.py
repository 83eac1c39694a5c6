"""Two things that Schemathesis cannot know.

What JSON Schema cannot say, so that it takes such requests for valid ones; and which carts and orders
exist, without which nearly every valid request of the fuzzing phase ends at 404.
"""

import collections
import random

import schemathesis

USER_ID_BYTES_MAX = 64
PIECES_MAX = 100_000
PRODUCTS_MAX = 100


def user_id_is_too_long(body):
    """A schema counts characters, the shop counts bytes of UTF-8."""
    user_id = body.get("user_id")
    return (
        isinstance(user_id, str)
        and len(user_id.encode("utf-8", "surrogatepass")) > USER_ID_BYTES_MAX
    )


def items_are_too_many(body):
    """The quantities of a product that is named twice are summed before they are checked."""
    items = body.get("items")
    if not isinstance(items, list):
        return False
    pieces = collections.Counter()
    for item in items:
        try:
            pieces[item["product_id"]] += item["quantity"]
        except (KeyError, TypeError):
            return False
    return len(pieces) > PRODUCTS_MAX or any(sum > PIECES_MAX for sum in pieces.values())


@schemathesis.hook
def filter_case(context, case):
    body = case.body
    if case.meta is None or case.meta.generation.mode.is_negative or not isinstance(body, dict):
        return True
    return not (user_id_is_too_long(body) or items_are_too_many(body))


# Carts and orders that the shop made, the youngest last, each as its answer.
made = {"cart_id": collections.deque(maxlen=50), "order_id": collections.deque(maxlen=50)}
choices = random.Random(11)


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code != 201:
        return
    answer = response.json()
    label = case.operation.label
    if label == "POST /api/cart":
        made["cart_id"].append(answer)
    elif label == "POST /api/orders":
        made["order_id"].append(answer)


def one_of(name, share):
    """Something that exists, in this share of cases."""
    known = made[name]
    return choices.choice(known) if known and choices.random() < share else None


@schemathesis.hook
def before_call(context, case, kwargs):
    # The stateful phase keeps its own account of what exists.
    meta = case.meta
    if meta is None or meta.generation.mode.is_negative or meta.phase.name.name != "FUZZING":
        return
    # Most orders stay open, so that there is something to pay.
    share = 0.02 if case.operation.label.endswith("/cancel") else 0.5
    for name in made:
        if name in (case.path_parameters or {}) and (known := one_of(name, share)):
            case.path_parameters[name] = known[name]
            if "product_id" in case.path_parameters:
                case.path_parameters["product_id"] = known["items"][0]["product_id"]
        body = case.body
        if isinstance(body, dict) and body.get(name) and (known := one_of(name, share)):
            body[name] = known[name]
            if "amount" in body:
                # All of it, a part, or whatever was made up.
                total = known["total"]
                body["amount"] = choices.choice([total, round(total / 3, 2), body["amount"]])
