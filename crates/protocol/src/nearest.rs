//! Names that look like one that is not there.

/// The names that are closest to what was typed, best first, at most so many; none that is far from it. Names are compared
/// without regard to case, classes by their simple names too.
pub fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    let typed = typed.to_lowercase();
    let simple = simple(&typed);
    let limit = 1 + simple.chars().count() / 3;
    let mut found: Vec<(usize, &str)> = names
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let whole = distance(&typed, &lower, limit);
            let last = distance(simple, self::simple(&lower), limit).map(|distance| distance + 1);
            Some((whole.into_iter().chain(last).min()?, name))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(most).map(|(_, name)| name).collect()
}

/// Behind the last `.`.
fn simple(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// How many letters have to be changed, put in or taken out (Levenshtein); none if more than `limit`.
fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            let changed = diagonal + usize::from(from != to);
            diagonal = *cell;
            left = changed.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().filter(|distance| *distance <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_differ() {
        for (a, b, distance) in
            [("", "", 0), ("abc", "abc", 0), ("abc", "", 3), ("place", "palce", 2), ("order", "orders", 1)]
        {
            assert_eq!(super::distance(a, b, 9), Some(distance), "{a} {b}");
        }
        assert_eq!(distance("abcdef", "ghijkl", 3), None);
    }

    #[test]
    fn the_best_come_first() {
        let names = ["shop.OrderService", "shop.OrderServer", "shop.Stock", "other.Orderservice"];
        let near = |typed| nearest(typed, names.into_iter(), 3);
        assert_eq!(
            near("shop.OrderServise"),
            ["shop.OrderService", "other.Orderservice", "shop.OrderServer"]
        );
        assert_eq!(near("OrderService"), ["other.Orderservice", "shop.OrderService", "shop.OrderServer"]);
        assert!(near("java.util.HashMap").is_empty());
    }
}
