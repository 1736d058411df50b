"""Reading what people upload: bytes of unknown honesty in, a Parquet file or a list of items out.

Pure of Django: functions take a path and options and either return or raise `ReadFailed` with problems that name the file and
the line or archive member. Nothing here touches the database, so a killed or failed read leaves only unnamed blobs in the store.
"""
