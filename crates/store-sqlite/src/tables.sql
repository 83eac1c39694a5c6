CREATE TABLE shop (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  currency TEXT NOT NULL,
  catalogue_seed INTEGER NOT NULL,
  products INTEGER NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE TABLE products (
  product_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  name_en TEXT NOT NULL,
  category TEXT NOT NULL,
  price INTEGER NOT NULL CHECK (price > 0)
);
CREATE TABLE stock (
  product_id INTEGER PRIMARY KEY,
  received INTEGER NOT NULL,
  available INTEGER NOT NULL CHECK (available >= 0),
  reserved INTEGER NOT NULL CHECK (reserved >= 0),
  sold INTEGER NOT NULL CHECK (sold >= 0),
  CHECK (received = available + reserved + sold)
);
CREATE TABLE stock_changes (     -- what rows of `stock` do not hold yet
  change_id INTEGER PRIMARY KEY, -- one for each group, ascending
  changes BLOB NOT NULL          -- coded; see "The level of a product"
);
CREATE TABLE carts (
  cart_id INTEGER PRIMARY KEY,
  user_id TEXT,
  order_id INTEGER,              -- the order it became; closes the cart
  version INTEGER NOT NULL,      -- grows with every change
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);
CREATE TABLE cart_lines (
  cart_id INTEGER NOT NULL,
  product_id INTEGER NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (cart_id, product_id)
) WITHOUT ROWID;
CREATE TABLE orders (
  order_id INTEGER PRIMARY KEY,
  user_id TEXT NOT NULL,
  cart_id INTEGER,
  payment_method TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state = 'pending_payment' OR state = 'partially_paid' OR state = 'paid'
                             OR state = 'cancelled' OR state = 'expired'),
  total INTEGER NOT NULL CHECK (total > 0),
  captured INTEGER NOT NULL DEFAULT 0 CHECK (captured >= 0),     -- sum of attempts in state 'captured'
  processing INTEGER NOT NULL DEFAULT 0 CHECK (processing >= 0), -- sum of attempts in state 'processing'
  created_at INTEGER NOT NULL,   -- when its stock was taken
  expires_at INTEGER NOT NULL,
  closed_at INTEGER,             -- when its stock was given back: cancelled and expired orders only
  CHECK (captured + processing <= total)
);
CREATE TABLE order_lines (
  order_id INTEGER NOT NULL,
  product_id INTEGER NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  unit_price INTEGER NOT NULL CHECK (unit_price > 0),
  PRIMARY KEY (order_id, product_id)
) WITHOUT ROWID;
CREATE TABLE payments (
  order_id INTEGER NOT NULL,
  attempt_id INTEGER NOT NULL,   -- unique; the key under which the gateway is charged
  state TEXT NOT NULL CHECK (state = 'processing' OR state = 'captured' OR state = 'declined'
                             OR state = 'late'),
  gateway TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  order_state TEXT,              -- of the order right after the capture; part of the answer
  idempotency_key TEXT,          -- the key that this attempt claimed, if any
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  PRIMARY KEY (order_id, attempt_id)
) WITHOUT ROWID;
CREATE TABLE refunds (
  order_id INTEGER NOT NULL,
  attempt_id INTEGER NOT NULL,   -- the captured or late attempt; always refunded whole
  state TEXT NOT NULL CHECK (state = 'pending' OR state = 'done'),
  amount INTEGER NOT NULL CHECK (amount > 0),
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  PRIMARY KEY (order_id, attempt_id)
) WITHOUT ROWID;
CREATE TABLE idempotency_keys (
  key TEXT NOT NULL,
  operation TEXT NOT NULL CHECK (operation = 'order' OR operation = 'payment'),
  user_id TEXT NOT NULL,         -- of a payment: the order's user
  fingerprint BLOB NOT NULL,     -- 16 bytes of the parsed request
  order_id INTEGER NOT NULL,
  attempt_id INTEGER,            -- of operation 'payment'
  created_at INTEGER NOT NULL,
  PRIMARY KEY (key, operation, user_id)
) WITHOUT ROWID;
