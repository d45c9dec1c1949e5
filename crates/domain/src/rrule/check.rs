//! Which parts go together: the table and the notes of RFC 5545 section 3.3.10.

use super::{Freq, Parts, Rule, RuleError};

/// Refuses what the RFC says must not be combined.
pub(super) fn combination(rule: &Rule) -> Result<(), RuleError> {
    let (freq, by) = (rule.freq, &rule.by);
    let below_year = matches!(freq, Freq::Daily | Freq::Weekly | Freq::Monthly);
    if !by.week_no.is_empty() && freq != Freq::Yearly {
        return refuse("BYWEEKNO goes with FREQ=YEARLY only");
    }
    if !by.year_day.is_empty() && below_year {
        return refuse("BYYEARDAY goes with FREQ=YEARLY or HOURLY only; use BYMONTH and BYMONTHDAY");
    }
    if !by.month_day.is_empty() && freq == Freq::Weekly {
        return refuse("BYMONTHDAY does not go with FREQ=WEEKLY; use FREQ=MONTHLY or DAILY");
    }
    if by.day.iter().any(|day| day.nth != 0) {
        if !matches!(freq, Freq::Monthly | Freq::Yearly) {
            return refuse("BYDAY takes a number, as in 2MO, with FREQ=MONTHLY or YEARLY only");
        }
        if !by.week_no.is_empty() {
            return refuse("BYDAY takes no number, as in 2MO, together with BYWEEKNO");
        }
    }
    let without_position = Parts { set_pos: Vec::new(), ..by.clone() };
    if !by.set_pos.is_empty() && without_position == Parts::default() {
        return refuse("BYSETPOS chooses from what another BY part yields; add for example BYDAY");
    }
    Ok(())
}

fn refuse(message: &str) -> Result<(), RuleError> {
    Err(RuleError::new("rule-combination", message))
}
