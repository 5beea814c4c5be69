"""PostgreSQL as the batch's warehouse: COPY in, Arrow out."""
