-- Back to purchases without products, analyses, insights and corrections: all of those are lost, the invoices stay as corrected.
DROP TABLE invoice_revisions;
DROP TABLE insights;
DROP TABLE analyses;
DROP TABLE purchase_lines;
DROP TABLE purchases;
DROP TABLE product_labels;
DROP TABLE products;
ALTER TABLE extraction_events DROP COLUMN more;
DROP INDEX invoice_items_product_id_idx;
ALTER TABLE invoice_items DROP COLUMN product_id;
ALTER TABLE invoices DROP COLUMN confirmed_at;
ALTER TABLE invoices DROP COLUMN items_version;
