CREATE TABLE shop (
  id TINYINT NOT NULL PRIMARY KEY CHECK (id = 1),
  currency VARCHAR(3) NOT NULL,
  catalogue_seed BIGINT NOT NULL,
  products BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE TABLE products (
  product_id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(255) NOT NULL,
  name_en VARCHAR(255) NOT NULL,
  category VARCHAR(32) NOT NULL,
  price BIGINT NOT NULL CHECK (price > 0)
);
CREATE TABLE stock (
  product_id BIGINT NOT NULL PRIMARY KEY,
  received BIGINT NOT NULL,
  available BIGINT NOT NULL CHECK (available >= 0),
  reserved BIGINT NOT NULL CHECK (reserved >= 0),
  sold BIGINT NOT NULL CHECK (sold >= 0),
  CONSTRAINT stock_adds_up CHECK (received = available + reserved + sold)
);
CREATE TABLE carts (
  cart_id BIGINT NOT NULL PRIMARY KEY,
  user_id VARBINARY(64),
  order_id BIGINT,               -- the order it became; closes the cart
  version BIGINT NOT NULL,       -- grows with every change
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE cart_lines (
  cart_id BIGINT NOT NULL,
  product_id BIGINT NOT NULL,
  quantity BIGINT NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (cart_id, product_id)
);
CREATE TABLE orders (
  order_id BIGINT NOT NULL PRIMARY KEY,
  user_id VARBINARY(64) NOT NULL,
  cart_id BIGINT,
  payment_method VARCHAR(16) NOT NULL,
  state VARCHAR(16) NOT NULL
    CHECK (state IN ('pending_payment', 'partially_paid', 'paid', 'cancelled', 'expired')),
  total BIGINT NOT NULL CHECK (total > 0),
  captured BIGINT NOT NULL DEFAULT 0 CHECK (captured >= 0),     -- sum of attempts in state 'captured'
  processing BIGINT NOT NULL DEFAULT 0 CHECK (processing >= 0), -- sum of attempts in state 'processing'
  created_at BIGINT NOT NULL,    -- when its stock was taken
  expires_at BIGINT NOT NULL,
  closed_at BIGINT,              -- when its stock was given back: cancelled and expired orders only
  CONSTRAINT orders_not_overpaid CHECK (captured + processing <= total)
);
CREATE TABLE order_lines (
  order_id BIGINT NOT NULL,
  product_id BIGINT NOT NULL,
  quantity BIGINT NOT NULL CHECK (quantity > 0),
  unit_price BIGINT NOT NULL CHECK (unit_price > 0),
  PRIMARY KEY (order_id, product_id)
);
CREATE TABLE payments (
  order_id BIGINT NOT NULL,
  attempt_id BIGINT NOT NULL,    -- unique; the key under which the gateway is charged
  state VARCHAR(16) NOT NULL
    CHECK (state IN ('processing', 'captured', 'declined', 'late')),
  gateway VARCHAR(64) NOT NULL,
  amount BIGINT NOT NULL CHECK (amount > 0),
  order_state VARCHAR(16), -- of the order right after the capture
  idempotency_key VARBINARY(255), -- the key that this attempt claimed, if any
  created_at BIGINT NOT NULL,
  finished_at BIGINT,
  PRIMARY KEY (order_id, attempt_id)
);
CREATE TABLE refunds (
  order_id BIGINT NOT NULL,
  attempt_id BIGINT NOT NULL,    -- the captured or late attempt; always refunded whole
  state VARCHAR(16) NOT NULL CHECK (state IN ('pending', 'done')),
  amount BIGINT NOT NULL CHECK (amount > 0),
  created_at BIGINT NOT NULL,
  finished_at BIGINT,
  PRIMARY KEY (order_id, attempt_id)
);
CREATE TABLE idempotency_keys (
  `key` VARBINARY(255) NOT NULL,
  operation VARCHAR(16) NOT NULL
    CHECK (operation IN ('order', 'payment')),
  user_id VARBINARY(64) NOT NULL, -- of a payment: the order's user
  fingerprint BINARY(16) NOT NULL, -- of the parsed request
  order_id BIGINT NOT NULL,
  attempt_id BIGINT,             -- of operation 'payment'
  created_at BIGINT NOT NULL,
  PRIMARY KEY (`key`, operation, user_id)
);
CREATE TABLE id_blocks (
  name VARCHAR(16) NOT NULL PRIMARY KEY,
  next_id BIGINT NOT NULL CHECK (next_id > 0) -- the first id that no shop has taken yet
);
CREATE TABLE writers (
  writer_id BIGINT NOT NULL PRIMARY KEY,
  last_group BIGINT NOT NULL,    -- the last group of writes that this writer committed
  started_at BIGINT NOT NULL
);
CREATE TABLE schema_version (
  id TINYINT NOT NULL PRIMARY KEY CHECK (id = 1),
  version INT NOT NULL
);
