"""Django's PostgreSQL backend, with a check of pooled connections that asks the server only where it must, and with prepared statements
for what is asked with every request."""
