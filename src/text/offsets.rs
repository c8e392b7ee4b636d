//! Offsets in other units than UTF-8 bytes.
