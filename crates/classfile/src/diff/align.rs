//! Two sequences side by side: which items of one are items of the other, in order, with as few as can be that are not (Myers,
//! *An O(ND) difference algorithm*, 1986).

/// So many items may be different. Past that, all between the same beginning and the same end counts as replaced: the memory
/// that is needed grows with the square.
const MOST_DIFFERENT: usize = 2_000;

/// A row of both sequences: the indices of one item in either, or of an item that only one has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    Both(usize, usize),
    Old(usize),
    New(usize),
}

pub(super) fn align<T: PartialEq>(old: &[T], new: &[T]) -> Vec<Row> {
    let same = |(old, new): &(&T, &T)| old == new;
    let start = old.iter().zip(new).take_while(same).count();
    let end = old[start..].iter().rev().zip(new[start..].iter().rev()).take_while(same).count();
    let (old_end, new_end) = (old.len() - end, new.len() - end);
    let mut rows: Vec<Row> = (0..start).map(|n| Row::Both(n, n)).collect();
    let (between_old, between_new) = (&old[start..old_end], &new[start..new_end]);
    match middle(between_old, between_new) {
        Some(found) => rows.extend(found.into_iter().map(|row| match row {
            Row::Both(old, new) => Row::Both(start + old, start + new),
            Row::Old(old) => Row::Old(start + old),
            Row::New(new) => Row::New(start + new),
        })),
        None => {
            rows.extend((start..old_end).map(Row::Old));
            rows.extend((start..new_end).map(Row::New));
        }
    }
    rows.extend((0..end).map(|n| Row::Both(old_end + n, new_end + n)));
    rows
}

/// None where too much is different.
fn middle<T: PartialEq>(old: &[T], new: &[T]) -> Option<Vec<Row>> {
    let most = (old.len() + new.len()).min(MOST_DIFFERENT);
    // How far one comes in `old` with so many different items, for each diagonal from -n to n, two apart.
    let mut reached: Vec<Vec<usize>> = Vec::new();
    for different in 0..=most {
        let mut now = Vec::with_capacity(different + 1);
        for n in 0..=different {
            let mut x = from(reached.last(), different, n).0;
            // y = x - diagonal, and diagonal = 2n - different.
            let mut y = (x + different) - 2 * n;
            while x < old.len() && y < new.len() && old[x] == new[y] {
                (x, y) = (x + 1, y + 1);
            }
            now.push(x);
            if x >= old.len() && y >= new.len() {
                reached.push(now);
                return Some(back(&reached, old.len(), n));
            }
        }
        reached.push(now);
    }
    None
}

/// Where the n-th diagonal begins, and whether that is by an item that only `old` has.
fn from(before: Option<&Vec<usize>>, different: usize, n: usize) -> (usize, bool) {
    let Some(before) = before else { return (0, false) };
    // The diagonal above is that of the same n one step before, the one below that of n - 1.
    let by_new = before.get(n).copied();
    let by_old = n.checked_sub(1).and_then(|below| before.get(below)).map(|x| x + 1);
    match (by_old, by_new) {
        (Some(old), Some(new)) if old > new => (old, true),
        (Some(old), None) => (old, true),
        (_, Some(new)) if n < different => (new, false),
        (old, _) => (old.unwrap_or(0), true),
    }
}

/// The rows from the end to the beginning.
fn back(reached: &[Vec<usize>], old_len: usize, mut n: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut x = old_len;
    for different in (0..reached.len()).rev() {
        let before = different.checked_sub(1).and_then(|step| reached.get(step));
        let (start, by_old) = from(before, different, n);
        let y = |x: usize| (x + different).saturating_sub(2 * n);
        while x > start {
            x -= 1;
            rows.push(Row::Both(x, y(x)));
        }
        if different == 0 {
            break;
        }
        if by_old {
            x -= 1;
            rows.push(Row::Old(x));
            n -= 1;
        } else {
            rows.push(Row::New(y(x).saturating_sub(1)));
        }
    }
    rows.reverse();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_both_sequences_in_order_and_few_are_different() {
        let cases = [
            ("", "", 0),
            ("abc", "abc", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("abcabba", "cbabac", 5),
            ("xaxbxcx", "abc", 4),
            ("abc", "xaxbxcx", 4),
            ("abcdef", "ghijkl", 12),
            ("loop a b c end", "loop a c d end", 4),
        ];
        for (old, new, different) in cases {
            let (old_items, new_items) = (old.as_bytes(), new.as_bytes());
            let rows = align(old_items, new_items);
            let (mut read_old, mut read_new, mut count) = (Vec::new(), Vec::new(), 0);
            for row in &rows {
                match row {
                    Row::Both(one, two) => {
                        assert_eq!(old_items[*one], new_items[*two], "{old} {new}");
                        read_old.push(*one);
                        read_new.push(*two);
                    }
                    Row::Old(one) => read_old.push(*one),
                    Row::New(two) => read_new.push(*two),
                }
                count += usize::from(!matches!(row, Row::Both(..)));
            }
            assert!(
                read_old.into_iter().eq(0..old.len()) && read_new.into_iter().eq(0..new.len()),
                "{rows:?}"
            );
            assert_eq!(count, different, "{old} {new}: {rows:?}");
        }
    }

    #[test]
    fn too_much_that_is_different_is_replaced() {
        let (old, new): (Vec<u32>, Vec<u32>) = ((0..3_000).collect(), (2_999..6_000).collect());
        let rows = align(&old, &new);
        assert_eq!(rows.len(), old.len() + new.len());
        assert_eq!((rows[0], rows[3_000]), (Row::Old(0), Row::New(0)));
    }
}
