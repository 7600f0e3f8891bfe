//! One host's mind: the rooms are being joined; see `event` for its door.
