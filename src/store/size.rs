//! How many octets a message has on the wire: every line end counted as two (RFC 1939 §11).

/// Counts a message in blocks. An LF without a CR before it counts one more; a CR without an LF
/// stays as it is; nothing is added for a missing last line end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WireSize {
    octets: u64,
    last: u8,
}

impl WireSize {
    /// Counts the next block.
    pub(crate) fn add(&mut self, block: &[u8]) {
        let Some(&last) = block.last() else { return };
        let bare = memchr::memchr_iter(b'\n', block).filter(|&at| {
            let before = at
                .checked_sub(1)
                .map_or(Some(&self.last), |before| block.get(before));
            before != Some(&b'\r')
        });
        let octets = block.len().saturating_add(bare.count());
        self.octets = self
            .octets
            .saturating_add(u64::try_from(octets).unwrap_or(u64::MAX));
        self.last = last;
    }

    /// The octets so far.
    pub(crate) fn total(self) -> u64 {
        self.octets
    }
}
