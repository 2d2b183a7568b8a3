//! Units of measure: of what, and how large.

/// What a unit measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub(crate) enum Quantity {
    Length,
    Area,
    Volume,
    Mass,
    Temperature,
    Speed,
    Time,
    Power,
    Data,
    Share,
}

/// A unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit {
    pub(crate) quantity: Quantity,
    /// In the base unit of its quantity: value = `size` × number + `zero`.
    size: f64,
    zero: f64,
}

const fn unit(quantity: Quantity, size: f64) -> Unit {
    Unit { quantity, size, zero: 0.0 }
}

/// The units, in the order of UNITS in `scripts/data/lexicon.py`.
pub(crate) const UNITS: [Unit; 52] = [
    unit(Quantity::Length, 1000.0),
    unit(Quantity::Length, 1.0),
    unit(Quantity::Length, 0.01),
    unit(Quantity::Length, 0.001),
    unit(Quantity::Length, 1609.344),
    unit(Quantity::Length, 0.9144),
    unit(Quantity::Length, 0.3048),
    unit(Quantity::Length, 0.0254),
    unit(Quantity::Length, 1852.0),
    unit(Quantity::Length, 9.461e15),
    unit(Quantity::Area, 10_000.0),
    unit(Quantity::Area, 4046.86),
    unit(Quantity::Area, 1e6),
    unit(Quantity::Area, 2.59e6),
    unit(Quantity::Area, 1.0),
    unit(Quantity::Area, 0.092_903),
    unit(Quantity::Volume, 1.0),
    unit(Quantity::Volume, 0.001),
    unit(Quantity::Volume, 3.785),
    unit(Quantity::Volume, 0.4732),
    unit(Quantity::Volume, 158.987),
    unit(Quantity::Volume, 1000.0),
    unit(Quantity::Mass, 1.0),
    unit(Quantity::Mass, 0.001),
    unit(Quantity::Mass, 1e-6),
    unit(Quantity::Mass, 1000.0),
    unit(Quantity::Mass, 0.453_592),
    unit(Quantity::Mass, 0.028_35),
    unit(Quantity::Mass, 6.350_29),
    unit(Quantity::Temperature, 1.0),
    Unit { quantity: Quantity::Temperature, size: 5.0 / 9.0, zero: -160.0 / 9.0 },
    unit(Quantity::Speed, 1.0),
    unit(Quantity::Speed, 1.609_344),
    unit(Quantity::Speed, 1.852),
    unit(Quantity::Time, 1.0),
    unit(Quantity::Time, 60.0),
    unit(Quantity::Time, 3600.0),
    unit(Quantity::Time, 86_400.0),
    unit(Quantity::Time, 604_800.0),
    unit(Quantity::Time, 2.63e6),
    unit(Quantity::Time, 3.156e7),
    unit(Quantity::Time, 3.156e8),
    unit(Quantity::Time, 3.156e9),
    unit(Quantity::Power, 1.0),
    unit(Quantity::Power, 1e3),
    unit(Quantity::Power, 1e6),
    unit(Quantity::Power, 1e9),
    unit(Quantity::Data, 1e3),
    unit(Quantity::Data, 1e6),
    unit(Quantity::Data, 1e9),
    unit(Quantity::Data, 1e12),
    unit(Quantity::Share, 1.0),
];
/// Numbers of units that are written with signs.
pub(crate) const KILOMETRE: u8 = 0;
/// See [`KILOMETRE`].
pub(crate) const CENTIMETRE: u8 = 2;
/// See [`KILOMETRE`].
pub(crate) const MILLIMETRE: u8 = 3;
/// See [`KILOMETRE`].
pub(crate) const HECTARE: u8 = 10;
/// See [`KILOMETRE`].
pub(crate) const KILOGRAM: u8 = 22;
/// See [`KILOMETRE`].
pub(crate) const CELSIUS: u8 = 29;
/// See [`KILOMETRE`].
pub(crate) const FAHRENHEIT: u8 = 30;
/// See [`KILOMETRE`].
pub(crate) const PERCENT: u8 = 51;

impl Unit {
    /// So many of the unit in the base unit.
    pub(crate) fn in_base(&self, number: f64) -> f64 {
        number * self.size + self.zero
    }
}

/// Whether two units are of different sizes, and stand for each other where one is taken for the
/// other: of lengths, areas, volumes, masses. Words for times have many other uses.
pub(crate) fn is_like(one: u8, other: u8) -> bool {
    let (Some(a), Some(b)) = (UNITS.get(one as usize), UNITS.get(other as usize)) else {
        return false;
    };
    let is_told =
        matches!(a.quantity, Quantity::Length | Quantity::Area | Quantity::Volume | Quantity::Mass);
    is_told && a.quantity == b.quantity && !are_equal((1.0, one), (1.0, other))
}

/// Whether two amounts are the same, as far as people round them when they convert one.
pub(crate) fn are_equal(one: (f64, u8), other: (f64, u8)) -> bool {
    /// A mile and a half for two kilometres is not unheard of.
    const ROUNDED: f64 = 0.12;
    let (Some(a), Some(b)) = (UNITS.get(one.1 as usize), UNITS.get(other.1 as usize)) else {
        return false;
    };
    // Miles and miles an hour have the same sizes to each other as kilometres have.
    let is_pace =
        |a: &Unit, b: &Unit| a.quantity == Quantity::Length && b.quantity == Quantity::Speed;
    if is_pace(a, b) {
        return (a.in_base(one.0) / 1000.0 - b.in_base(other.0)).abs()
            <= ROUNDED * b.in_base(other.0).abs();
    }
    if is_pace(b, a) {
        return are_equal(other, one);
    }
    let (x, y) = (a.in_base(one.0), b.in_base(other.0));
    let slack =
        if a.quantity == Quantity::Temperature { 2.0 } else { ROUNDED * x.abs().max(y.abs()) };
    a.quantity == b.quantity && (x - y).abs() <= slack
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_converted() {
        assert!(are_equal((10.0, 0), (6.2, 4)) && !are_equal((10.0, 0), (10.0, 4)));
        assert!(are_equal((100.0, CELSIUS), (212.0, FAHRENHEIT)));
        assert!(are_equal((100.0, 0), (62.0, 32)), "100 km/h and 62 mph");
        assert!(!are_equal((5.0, 0), (5.0, 16)));
    }
}
