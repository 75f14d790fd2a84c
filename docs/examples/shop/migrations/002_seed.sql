INSERT INTO products (name) VALUES ('tea'), ('cups');
