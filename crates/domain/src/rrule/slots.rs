//! The slots of one period: every picked day at every time of day, in order, and those of them BYSETPOS names.
//!
//! There can be 366 × 86,400 of them, so a slot is computed from its index and the set is never listed.

use jiff::civil::{DateTime, Time};

use super::Freq;
use super::day::Day;
use super::plan::Plan;

#[derive(Debug, Default)]
pub(super) struct Slots {
    days: Vec<Day>,
    hours: Vec<i16>,
    /// With BYSETPOS: the indices that it names, in order.
    chosen: Option<Vec<usize>>,
}

impl Slots {
    /// Replaces the slots by those of another period; says whether there are any.
    pub(super) fn fill(&mut self, plan: &Plan<'_>, unit: i64) -> bool {
        plan.pick_days(unit, &mut self.days);
        self.hours.clear();
        if self.days.is_empty() {
            return false;
        }
        match i16::try_from(unit.rem_euclid(24)) {
            Ok(hour) if plan.rule.freq == Freq::Hourly => {
                let allowed = plan.by.hour.is_empty() || plan.by.hour.contains(&hour);
                self.hours.extend(allowed.then_some(hour));
            }
            _ => self.hours.extend(&plan.by.hour),
        }
        self.choose(plan);
        self.len(plan) > 0
    }

    /// BYSETPOS: from the front or from the end of the whole period, whatever DTSTART cuts off it.
    fn choose(&mut self, plan: &Plan<'_>) {
        let all = self.days.len() * self.times(plan);
        let index = |at: &i16| {
            let from_end = usize::from(at.unsigned_abs());
            let index = if *at > 0 { Some(from_end - 1) } else { all.checked_sub(from_end) };
            index.filter(|index| *index < all)
        };
        if plan.by.set_pos.is_empty() {
            return self.chosen = None;
        }
        let mut chosen: Vec<usize> = plan.by.set_pos.iter().filter_map(index).collect();
        chosen.sort_unstable();
        chosen.dedup();
        self.chosen = Some(chosen);
    }

    /// How many times of day each picked day has.
    fn times(&self, plan: &Plan<'_>) -> usize {
        self.hours.len() * plan.by.minute.len() * plan.by.second.len()
    }

    pub(super) fn len(&self, plan: &Plan<'_>) -> usize {
        self.chosen.as_ref().map_or_else(|| self.days.len() * self.times(plan), Vec::len)
    }

    /// The slot with this index; `None` beyond the last, and beyond the year 9999.
    pub(super) fn get(&self, plan: &Plan<'_>, index: usize) -> Option<DateTime> {
        let index = match &self.chosen {
            Some(chosen) => *chosen.get(index)?,
            None => index,
        };
        let (minutes, seconds) = (&plan.by.minute, &plan.by.second);
        let (index, second) = (index / seconds.len(), seconds.get(index % seconds.len())?);
        let (index, minute) = (index / minutes.len(), minutes.get(index % minutes.len())?);
        let hour = self.hours.get(index.checked_rem(self.hours.len())?)?;
        let date = self.days.get(index / self.hours.len())?.to_date()?;
        let part = |value: &i16| i8::try_from(*value).ok();
        Some(date.to_datetime(Time::new(part(hour)?, part(minute)?, part(second)?, 0).ok()?))
    }

    /// The index of the first slot that is not before `from`.
    pub(super) fn first_from(&self, plan: &Plan<'_>, from: DateTime) -> usize {
        let (mut low, mut high) = (0, self.len(plan));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(plan, middle).is_some_and(|slot| slot < from) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
