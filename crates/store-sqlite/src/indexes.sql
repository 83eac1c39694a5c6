CREATE INDEX products_by_category ON products (category, product_id);
CREATE INDEX stock_sold_out ON stock (product_id) WHERE available = 0;
CREATE INDEX orders_open_by_expiry ON orders (expires_at) WHERE state IN ('pending_payment','partially_paid');
CREATE INDEX payments_processing ON payments (order_id, attempt_id) WHERE state = 'processing';
CREATE INDEX refunds_pending ON refunds (order_id, attempt_id) WHERE state = 'pending';
