-- The tables of docs/SCHEMA.md with the types of a server and without anything that could refuse a
-- wrong row.
CREATE TABLE schema_version (id TINYINT NOT NULL PRIMARY KEY, version INT NOT NULL);
CREATE TABLE shop (
  id TINYINT NOT NULL PRIMARY KEY, currency VARCHAR(3) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  catalogue_seed BIGINT NOT NULL, products BIGINT NOT NULL, created_at BIGINT NOT NULL);
CREATE TABLE products (
  product_id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL, name_en VARCHAR(255) NOT NULL,
  category VARCHAR(32) NOT NULL, price BIGINT NOT NULL);
CREATE TABLE stock (
  product_id BIGINT NOT NULL PRIMARY KEY, received BIGINT NOT NULL, available BIGINT NOT NULL,
  reserved BIGINT NOT NULL, sold BIGINT NOT NULL);
CREATE TABLE carts (
  cart_id BIGINT NOT NULL PRIMARY KEY, user_id VARBINARY(64), order_id BIGINT, version BIGINT NOT NULL,
  created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);
CREATE TABLE cart_lines (
  cart_id BIGINT NOT NULL, product_id BIGINT NOT NULL, quantity BIGINT NOT NULL,
  PRIMARY KEY (cart_id, product_id));
CREATE TABLE orders (
  order_id BIGINT NOT NULL PRIMARY KEY, user_id VARBINARY(64) NOT NULL, cart_id BIGINT,
  payment_method VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  state VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, total BIGINT NOT NULL,
  captured BIGINT NOT NULL DEFAULT 0, processing BIGINT NOT NULL DEFAULT 0, created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL, closed_at BIGINT);
CREATE TABLE order_lines (
  order_id BIGINT NOT NULL, product_id BIGINT NOT NULL, quantity BIGINT NOT NULL,
  unit_price BIGINT NOT NULL, PRIMARY KEY (order_id, product_id));
CREATE TABLE payments (
  order_id BIGINT NOT NULL, attempt_id BIGINT NOT NULL,
  state VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, gateway VARCHAR(64) NOT NULL,
  amount BIGINT NOT NULL, order_state VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  idempotency_key VARBINARY(255), created_at BIGINT NOT NULL, finished_at BIGINT,
  PRIMARY KEY (order_id, attempt_id));
CREATE TABLE refunds (
  order_id BIGINT NOT NULL, attempt_id BIGINT NOT NULL,
  state VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, amount BIGINT NOT NULL,
  created_at BIGINT NOT NULL, finished_at BIGINT, PRIMARY KEY (order_id, attempt_id));
CREATE TABLE idempotency_keys (
  `key` VARBINARY(255) NOT NULL, operation VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  user_id VARBINARY(64) NOT NULL, fingerprint VARBINARY(64) NOT NULL, order_id BIGINT NOT NULL,
  attempt_id BIGINT, created_at BIGINT NOT NULL, PRIMARY KEY (`key`, operation, user_id));
CREATE TABLE id_blocks (name VARCHAR(16) NOT NULL PRIMARY KEY, next_id BIGINT NOT NULL);
CREATE TABLE writers (
  writer_id BIGINT NOT NULL PRIMARY KEY, last_group BIGINT NOT NULL, started_at BIGINT NOT NULL);
