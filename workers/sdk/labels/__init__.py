"""Labels: what a label schema asks for (`config`), and whether a result answers it (`results`). The format of results is Label Studio's."""
