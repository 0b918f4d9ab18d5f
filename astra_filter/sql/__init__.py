"""SQL for the supported dialects: WHERE clauses, whole SELECTs, rows and DDL (SPEC §5)."""
