//! The lifecycle of a rule for a vehicle.
use crate::state::{Truth, MAX_GAP_MS};

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Opened,
    Escalated,
    Deescalated,
    Reopened,
    Cleared,
    /// Neither condition was known for an hour.
    ClearedUnknown,
}

/// What stands in the file of a rule, without its conditions.
pub struct Rule {
    pub for_ms: f64,
    pub clear_for_ms: f64,
    pub cooldown_ms: f64,
    pub once: bool,
    /// 0 info, 1 warning, 2 critical: its severity, or the lowest of its ladder.
    pub severity: u8,
}

/// The sample at hand.
#[derive(Clone, Copy)]
pub struct Cause {
    pub t: f64,
    pub append: f64,
    pub offset: f64,
}

/// Values that a transition shows: of its terms, then of its message.
pub type Captures = [f64; 4];

/// A transition.
pub struct Transition {
    pub rule: usize,
    pub kind: Kind,
    pub severity: u8,
    pub count: u32,
    pub id: u64,
    pub onset: f64,
    pub at: f64,
    pub cause: Cause,
    pub captures: Captures,
}

/// Where transitions go.
pub trait Sink {
    /// The id of an anomaly that the vehicle at hand opens.
    fn id(&mut self, rule: usize, onset: f64, cause: &Cause) -> u64;
    fn emit(&mut self, transition: Transition);
}

/// What a rule says at a sample.
pub struct Result {
    pub when: Truth,
    pub clear: Truth,
    /// Whether the sample brings `when`, `clear`.
    pub when_came: bool,
    pub clear_came: bool,
    /// Whether it has a ladder, and what its second rung says.
    pub ladder: bool,
    pub critical: Truth,
}

/// A rule of a vehicle that is pending, open, or in its cooldown.
#[derive(Clone)]
pub struct Life {
    from: f64,
    to: f64,
    clear_from: f64,
    clear_to: f64,
    down_from: f64,
    down_to: f64,
    unknown_from: f64,
    onset: f64,
    ended_t: f64,
    last_at: f64,
    id: u64,
    count: u32,
    severity: u8,
    done: bool,
    open: bool,
    known: bool,
    critical: bool,
}

const UNKNOWN_AFTER_MS: f64 = 3_600_000.0;

impl Life {
    pub fn new(severity: u8) -> Self {
        Life {
            from: f64::NAN,
            to: f64::NAN,
            clear_from: f64::NAN,
            clear_to: f64::NAN,
            down_from: f64::NAN,
            down_to: f64::NAN,
            unknown_from: f64::NAN,
            onset: f64::NAN,
            ended_t: f64::NEG_INFINITY,
            last_at: f64::NEG_INFINITY,
            id: 0,
            count: 0,
            severity,
            done: false,
            open: false,
            known: false,
            critical: false,
        }
    }

    pub fn step(
        &mut self,
        number: usize,
        rule: &Rule,
        result: &Result,
        cause: &Cause,
        captures: impl FnOnce() -> Captures,
        sink: &mut impl Sink,
    ) {
        let t = cause.t;
        if result.ladder && result.when_came {
            if let Some(critical) = result.critical {
                self.critical = critical;
            }
        }
        let kind = if self.open {
            self.step_open(rule, result, t)
        } else {
            self.step_idle(number, rule, result, cause, sink)
        };
        let Some(kind) = kind else { return };
        self.last_at = self.last_at.max(t);
        sink.emit(Transition {
            rule: number,
            kind,
            severity: self.severity,
            count: self.count,
            id: self.id,
            onset: self.onset,
            at: self.last_at,
            cause: *cause,
            captures: captures(),
        });
    }

    fn step_idle(
        &mut self,
        number: usize,
        rule: &Rule,
        result: &Result,
        cause: &Cause,
        sink: &mut impl Sink,
    ) -> Option<Kind> {
        let t = cause.t;
        if !result.when_came {
            return None;
        }
        match result.when {
            None => return None,
            Some(false) => {
                self.from = f64::NAN;
                return None;
            }
            Some(true) => {}
        }
        if self.from.is_nan() || !(t - self.to <= MAX_GAP_MS) {
            self.from = t;
            self.done = false;
        }
        self.to = t;
        if self.done || t - self.from < rule.for_ms {
            return None;
        }
        self.done = true;
        let again = self.known && t <= self.ended_t + rule.cooldown_ms;
        if rule.once && again {
            return None;
        }
        self.severity = self.target(rule);
        self.clear_from = f64::NAN;
        self.down_from = f64::NAN;
        self.unknown_from = f64::NAN;
        self.open = !rule.once;
        if again {
            self.count += 1;
            return Some(Kind::Reopened);
        }
        self.known = true;
        self.count = 1;
        self.onset = self.from;
        self.ended_t = t;
        self.id = sink.id(number, self.onset, cause);
        Some(Kind::Opened)
    }

    fn step_open(&mut self, rule: &Rule, result: &Result, t: f64) -> Option<Kind> {
        let Result { when, clear, .. } = *result;
        if when == Some(true) && result.when_came {
            self.clear_from = f64::NAN;
        } else if result.clear_came {
            if clear == Some(false) {
                self.clear_from = f64::NAN;
            } else if clear == Some(true) {
                if self.clear_from.is_nan() || t - self.clear_to > MAX_GAP_MS {
                    self.clear_from = t;
                }
                self.clear_to = t;
                if t - self.clear_from >= rule.clear_for_ms {
                    return self.end(t, Kind::Cleared);
                }
            }
        }
        if when.is_some() || clear.is_some() {
            self.unknown_from = f64::NAN;
        } else {
            if self.unknown_from.is_nan() {
                self.unknown_from = t;
            }
            if t - self.unknown_from >= UNKNOWN_AFTER_MS {
                return self.end(t, Kind::ClearedUnknown);
            }
        }
        if result.ladder && result.when_came { self.reconsider(rule, t) } else { None }
    }

    fn end(&mut self, t: f64, kind: Kind) -> Option<Kind> {
        self.open = false;
        self.ended_t = t;
        self.from = f64::NAN;
        Some(kind)
    }

    fn target(&self, rule: &Rule) -> u8 {
        if self.critical { 2 } else { rule.severity }
    }

    fn reconsider(&mut self, rule: &Rule, t: f64) -> Option<Kind> {
        let target = self.target(rule);
        if target >= self.severity {
            self.down_from = f64::NAN;
        }
        if target == self.severity {
            return None;
        }
        let down = target < self.severity;
        if down {
            if self.down_from.is_nan() || t - self.down_to > MAX_GAP_MS {
                self.down_from = t;
            }
            self.down_to = t;
            if t - self.down_from < rule.clear_for_ms {
                return None;
            }
            self.down_from = f64::NAN;
        }
        self.severity = target;
        Some(if down { Kind::Deescalated } else { Kind::Escalated })
    }
}
