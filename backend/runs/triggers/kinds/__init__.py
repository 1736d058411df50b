"""One file a kind of trigger, each with its `KIND`. Copy a neighbour to add one."""
