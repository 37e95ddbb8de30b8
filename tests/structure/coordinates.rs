//! Where neurons stand.

use super::control::{fault, network};
use conex::Result;
use conex::prelude::*;
use conex::systems::Error::ParameterLength;
use conex::systems::registry::Registry;

#[test]
fn coordinates_are_columns_rows_and_planes_of_the_grid() -> Result<()> {
    let mut net = network()?;
    let plain = net.neurons("plain", (2, 2, 3), (Lif::default(), Coordinates::default()))?;
    let middle = Coordinates::grid().spacing(0.5).centred();
    let centred = net.neurons("centred", (2, 2, 3), (InputSpikes::default(), middle))?;
    net.build()?;
    assert_eq!(net.state(plain, "x")?, [0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 0.0, 1.0, 2.0]);
    assert_eq!(net.state(plain, "y")?, [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    assert_eq!(net.state(plain, "z")?, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    let Coordinates { x, y, z, .. } = net.coordinates(centred)?;
    assert_eq!(
        (&x[..3], &y[2..4], &z[5..7]),
        (&[-0.5, 0.0, 0.5][..], &[-0.25, 0.25][..], &[-0.25, 0.25][..])
    );
    Ok(())
}

#[test]
fn given_coordinates_stay_and_must_be_as_many_as_there_are_neurons() -> Result<()> {
    let mut net = network()?;
    let given = Coordinates::given(vec![3.0, 1.0], vec![0.5, 0.25], vec![-1.0, -2.0]);
    let a = net.neurons("a", 2, (Lif::default(), given.clone()))?;
    net.build()?;
    assert_eq!(net.coordinates(a)?, given);
    for (x, z) in [(3, 2), (2, 0)] {
        let mut net = network()?;
        let given = Coordinates::given(vec![0.0; x], vec![0.0; 2], vec![0.0; z]);
        net.neurons("a", 2, (Lif::default(), given))?;
        let refused = fault(net.build());
        let wrong = matches!(&refused, ParameterLength { expected: 2, given, .. } if *given == x.max(3) || *given == z);
        assert!(wrong, "{refused}");
    }
    let b = net.neurons("b", 2, Lif::default())?;
    assert!(net.coordinates(b).is_err());
    net.build()?;
    net.add(b, Coordinates::default())?;
    net.build()?;
    assert_eq!(net.state(b, "x")?, [0.0, 1.0]);
    Ok(())
}

#[test]
fn saved_coordinates_leave_out_what_follows_from_the_grid() -> Result<()> {
    let mut net = network()?;
    let a = net.neurons("a", 2, (Lif::default(), Coordinates::grid().spacing(3.0)))?;
    let b = net.neurons(
        "b",
        2,
        (Lif::default(), Coordinates::given(vec![1.0, 2.0], vec![0.0; 2], vec![0.5; 2])),
    )?;
    net.build()?;
    let registry = net.world().resource::<Registry>();
    let saved = |group| registry.find("Coordinates").and_then(|c| c.save(net.world().entity(group)));
    let expected = serde_json::json!({ "spacing": 3.0, "centred": false });
    assert_eq!(saved(a), Some(Ok(expected)));
    let value = saved(b).and_then(Result::ok).unwrap_or_default();
    let read: Coordinates = serde_json::from_value(value).unwrap_or_default();
    assert_eq!(read, net.coordinates(b)?);
    Ok(())
}
