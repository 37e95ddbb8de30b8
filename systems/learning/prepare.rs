//! Rules are checked, and get their slow traces: when their projection is built, and when they are changed later.

use super::slow_traces::{SlowTraceValues, follow};
use super::{Plastic, PlasticityRule};
use crate::error::{Problems, Result};
use crate::group::Unbuilt;
use crate::registry;
use crate::relations::Ends;
use crate::schedule::{BuildSystems, StepSystems, add_build_systems, add_family_system};
use crate::time::Clock;
use crate::traces::{PostTrace, PreTrace};
use bevy_ecs::prelude::*;

/// A rule as a projection has it: bare, or behind a reward.
pub(super) trait Applied: Component {
    type Rule: PlasticityRule;

    fn rule(&self) -> &Self::Rule;

    /// What it is called in messages.
    fn name() -> String;

    /// Checks what it has beside the rule.
    fn check_own(&self, projection: &str, clock: &Clock) -> Result<()>;
}

impl<R: PlasticityRule> Applied for R {
    type Rule = R;

    fn rule(&self) -> &R {
        self
    }

    fn name() -> String {
        registry::short_name::<R>().to_string()
    }

    fn check_own(&self, _projection: &str, _clock: &Clock) -> Result<()> {
        Ok(())
    }
}

/// Everything that a rule is checked against.
type Site<'w> = (&'w Name, Option<&'w PreTrace>, Option<&'w PostTrace>, &'w Ends);

fn check<A: Applied>(applied: &A, (name, pre, post, _): Site, clock: &Clock) -> Result<()> {
    let rule = applied.rule();
    rule.check(name)?;
    applied.check_own(name, clock)?;
    if let Some(slow) = rule.slow_traces() {
        slow.check(name, &A::name(), clock.dt)?;
    }
    // That a trace is missing is told with the other needs.
    match (pre, post) {
        (Some(pre), Some(post)) => rule.check_traces(name, pre, post),
        _ => Ok(()),
    }
}

type New<'w, A> = (Entity, Site<'w>, &'w Unbuilt, &'w A, &'w mut Plastic, Option<&'w mut SlowTraceValues>);

/// For every new projection with this rule, check its parameters and give it the slow traces that it asks for.
fn prepare_rule<A: Applied>(
    mut commands: Commands,
    clock: Res<Clock>,
    mut problems: ResMut<Problems>,
    mut projections: Query<New<A>>,
) {
    for (entity, site, unbuilt, applied, mut plastic, slow) in &mut projections {
        plastic.rules.push(A::name());
        if problems.check(check(applied, site, &clock)).is_some() {
            let (_, pre, post, ends) = site;
            let kept = slow.filter(|_| !unbuilt.makes_state(false));
            follow(&mut commands.entity(entity), applied.rule().slow_traces(), (pre, post), ends, kept);
        }
    }
}

type Followed<'w, A> = (Entity, Site<'w>, Ref<'w, A>, Option<&'w mut SlowTraceValues>);

/// For every projection whose rule was changed between steps, check the parameters and let the slow traces follow. One
/// that is wrong is checked again at every step until it is mended.
fn follow_changes<A: Applied>(
    mut commands: Commands,
    clock: Res<Clock>,
    mut problems: ResMut<Problems>,
    mut projections: Query<Followed<A>>,
    mut unsound: Local<Vec<Entity>>,
) {
    for (entity, site, applied, slow) in &mut projections {
        if !applied.is_changed() && !unsound.contains(&entity) {
            continue;
        }
        unsound.retain(|other| *other != entity);
        if problems.check(check(&*applied, site, &clock)).is_some() {
            let (_, pre, post, ends) = site;
            follow(&mut commands.entity(entity), applied.rule().slow_traces(), (pre, post), ends, slow);
        } else {
            unsound.push(entity);
        }
    }
}

/// Slow traces that follow their rule; no projection has two.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct FollowedRules;

pub(super) fn register<A: Applied>(world: &mut World) {
    add_build_systems(world, BuildSystems::Derive, prepare_rule::<A>);
    let follow = follow_changes::<A>.before(super::PlasticityRules);
    add_family_system(world, StepSystems::Learning, FollowedRules, follow);
}
