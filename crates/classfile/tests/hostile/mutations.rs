//! Broken classes, made from whole ones: cut, flipped, spliced; seeded, so that a failure repeats.

/// A small generator of numbers.
pub(crate) struct XorShift(pub(crate) u64);

impl XorShift {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// Breaks `bytes` in one of several ways, nearly always so that most of it still reads.
pub(crate) fn mutate(bytes: &[u8], random: &mut XorShift) -> Vec<u8> {
    /// Values that tip things over.
    const EXTREMES: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
    let mut broken = bytes.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(broken.len());
        match random.below(6) {
            0 => broken.truncate(at),
            1 => {
                let end = (at + random.below(16)).min(broken.len());
                broken.drain(at..end);
            }
            2 => {
                let from = random.below(broken.len());
                let piece = broken[from..(from + random.below(24)).min(broken.len())].to_vec();
                broken.splice(at..at, piece);
            }
            3 => {
                if let Some(byte) = broken.get_mut(at) {
                    *byte = EXTREMES[random.below(EXTREMES.len())];
                }
            }
            _ => {
                if let Some(byte) = broken.get_mut(at) {
                    *byte = random.next() as u8;
                }
            }
        }
        if broken.is_empty() {
            break;
        }
    }
    broken
}
