//! SRV records (RFC 2782): in which order the servers of a domain are asked.

/// What one record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The lowest first.
    pub(super) priority: u16,
    /// Its share among those of one priority.
    pub(super) weight: u16,
    pub(super) port: u16,
    /// A name, never an address. The root says that there is no such service.
    pub(super) host: String,
}

/// The targets as they are to be tried: by priority, and within one by lot, in which those of greater
/// weight come first more often. `draw` gives a number from 0 to what it is given.
pub(super) fn in_order(targets: Vec<Target>, mut draw: impl FnMut(u32) -> u32) -> Vec<Target> {
    let mut left: Vec<_> = targets
        .into_iter()
        .filter(|target| !target.host.trim_end_matches('.').is_empty())
        .collect();
    // Those without a weight stand first, so that the lot can fall on them when it is 0.
    left.sort_by_key(|target| (target.priority, target.weight));
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(lowest) = left.first().map(|target| target.priority) {
        let rivals = left.iter().take_while(|target| target.priority == lowest);
        let sum = rivals.clone().map(|target| u32::from(target.weight)).sum();
        let lot = draw(sum);
        let mut running = 0;
        let chosen = rivals.clone().position(|target| {
            running += u32::from(target.weight);
            running >= lot
        });
        ordered.push(left.remove(chosen.unwrap_or(0)));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(priority: u16, weight: u16, host: &str) -> Target {
        Target {
            priority,
            weight,
            port: 389,
            host: host.to_owned(),
        }
    }

    fn hosts(targets: &[Target], draw: impl FnMut(u32) -> u32) -> Vec<String> {
        let ordered = in_order(targets.to_vec(), draw);
        ordered.into_iter().map(|target| target.host).collect()
    }

    #[test]
    fn the_lowest_priority_comes_first_whatever_the_lot() {
        let targets = [
            target(20, 100, "c"),
            target(0, 0, "a"),
            target(10, 1, "b"),
            target(65535, 65535, "d"),
        ];
        for lot in [0, 1] {
            assert_eq!(hosts(&targets, |most| most * lot), ["a", "b", "c", "d"]);
        }
    }

    #[test]
    fn the_lot_falls_by_weight() {
        let targets = [
            target(0, 30, "big"),
            target(0, 10, "small"),
            target(0, 0, "none"),
        ];
        for (lot, first) in [
            (0, "none"),
            (1, "small"),
            (10, "small"),
            (11, "big"),
            (40, "big"),
        ] {
            let mut drawn = Vec::new();
            let ordered = hosts(&targets, |most| {
                drawn.push(most);
                if drawn.len() == 1 { lot } else { most }
            });
            assert_eq!(ordered[0], first, "{lot}");
            assert_eq!(ordered.len(), 3, "each is tried once");
            assert_eq!(drawn[0], 40);
        }
    }

    #[test]
    fn over_many_lots_the_shares_are_those_of_the_weights() {
        let targets = [target(0, 3, "big"), target(0, 1, "small")];
        let firsts = (0..5).map(|lot| hosts(&targets, |most| lot.min(most))[0].clone());
        let firsts: Vec<_> = firsts.collect();
        assert_eq!(firsts, ["small", "small", "big", "big", "big"]);
    }

    #[test]
    fn the_root_is_no_server() {
        assert!(hosts(&[target(0, 0, "."), target(0, 0, "")], |most| most).is_empty());
    }
}
