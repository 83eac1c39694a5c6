CREATE INDEX products_by_category ON products (category, product_id);
CREATE INDEX orders_open_by_expiry ON orders (state, expires_at);
CREATE INDEX payments_processing ON payments (state, created_at);
CREATE INDEX refunds_pending ON refunds (state, created_at);
