"""The parts of the author format's reader; `proto.author` is the door."""
