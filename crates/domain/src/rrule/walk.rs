//! From occurrence to occurrence, skipping what cannot match and giving up on what does not.

use std::cmp::Ordering;

use jiff::civil::{DateTime, Time};

use super::day::{DAYS_IN_400_YEARS, Day};
use super::plan::Plan;
use super::slots::Slots;
use super::{End, Rule, RuleError, Until};

/// The most periods looked at for one occurrence.
const MAX_STEPS: u32 = 200_000;

/// The occurrences of a rule from some time on.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    plan: Plan<'a>,
    /// Nothing before this is an answer.
    from: DateTime,
    from_unit: i64,
    /// Nothing after this is an answer.
    last: DateTime,
    /// How many more occurrences COUNT allows.
    left: Option<usize>,
    /// The slots of the current period and the index of the next one to answer.
    slots: Slots,
    index: usize,
    /// The unit of the next period.
    unit: i64,
    /// The last unit that is looked at.
    horizon: i64,
    steps: u32,
}

impl Walk<'_> {
    /// The occurrences in `from ..= to`.
    pub(super) fn new(rule: &Rule, dtstart: DateTime, from: DateTime, to: DateTime) -> Walk<'_> {
        let plan = Plan::new(rule, dtstart);
        let from = from.max(plan.start);
        let (last, left) = match rule.end {
            End::Never => (to, None),
            End::Count(count) => (to, usize::try_from(count).ok()),
            End::Until(until) => (to.min(until.last()), None),
        };
        // COUNT has to see every occurrence from the first on.
        let from_unit = plan.unit(from);
        let unit = plan.in_step(if left.is_some() { plan.start_unit } else { from_unit });
        let slots = Slots::default();
        let mut walk = Walk { plan, from, from_unit, last, left, slots, index: 0, unit, horizon: 0, steps: 0 };
        walk.look_ahead(from);
        walk
    }

    /// The next occurrence; `None` once there are no more. The errors are those of [`Rule::next`].
    pub(crate) fn advance(&mut self) -> Result<Option<DateTime>, RuleError> {
        loop {
            if self.left == Some(0) {
                return Ok(None);
            }
            if let Some(found) = self.slots.get(&self.plan, self.index) {
                if found > self.last {
                    return Ok(None);
                }
                self.pass(1);
                self.look_ahead(found);
                return Ok(Some(found));
            }
            if self.unit > self.horizon {
                return Ok(None);
            }
            self.enter_period()?;
        }
    }

    /// From an occurrence on, 400 years and a fresh number of steps are looked at for the next one.
    fn look_ahead(&mut self, from: DateTime) {
        let day = Day::from_number(Day::from_date(from.date()).number + DAYS_IN_400_YEARS);
        let horizon = day.to_date().map_or(DateTime::MAX, |date| date.to_datetime(Time::MAX));
        self.horizon = self.plan.unit(horizon.min(self.last));
        self.steps = 0;
    }

    fn enter_period(&mut self) -> Result<(), RuleError> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            let message = "this rule matches too rarely to be computed; use a larger FREQ or fewer BY parts";
            return Err(RuleError::new("rule-too-sparse", message));
        }
        let unit = self.unit;
        self.index = 0;
        if !self.slots.fill(&self.plan, unit) {
            self.unit = self.plan.in_step(self.plan.after_empty(unit));
            return Ok(());
        }
        self.unit = self.plan.in_step(unit + 1);
        if unit == self.plan.start_unit {
            self.index = self.slots.first_from(&self.plan, self.plan.start);
        }
        let first = match unit.cmp(&self.from_unit) {
            Ordering::Less => self.slots.len(&self.plan),
            Ordering::Equal => self.slots.first_from(&self.plan, self.from),
            Ordering::Greater => 0,
        };
        self.pass(first.saturating_sub(self.index));
        Ok(())
    }

    fn pass(&mut self, occurrences: usize) {
        self.index += occurrences;
        self.left = self.left.map(|left| left.saturating_sub(occurrences));
    }
}

impl Until {
    /// The last moment that is still allowed.
    fn last(self) -> DateTime {
        match self {
            Until::Date(date) => date.to_datetime(Time::MAX),
            Until::Local(at) | Until::Utc(at) => at,
        }
    }
}
