//! Transitions as JSON, a line each.
use sha2::{Digest, Sha256};

use crate::life::{Cause, Kind, Sink, Transition};
use crate::rules::RULES;

enum Term {
    /// Text, limit, unit.
    Limit(&'static str, f64, &'static str),
    Truth(&'static str),
}

enum Part {
    Vehicle,
    Text(&'static str),
    /// The next capture with its unit.
    Value(&'static str),
}

struct Words {
    id: &'static str,
    terms: &'static [Term],
    message: &'static [Part],
}

use Part::{Text, Value, Vehicle};
use Term::{Limit, Truth};

macro_rules! words {
    ($id:literal, [$($term:expr),*], [$($part:expr),*]) => {
        Words { id: $id, terms: &[$($term),*], message: &[$($part),*] }
    };
}

static WORDS: [Words; RULES] = [
    words!("overspeed", [Limit("speed > 130 km/h", 130.0, "km/h")], [
        Vehicle, Text(" at "), Value(" km/h")
    ]),
    words!(
        "harsh-braking",
        [
            Limit("rate(speed, 1 s) < -12 km/h/s", -12.0, "km/h/s"),
            Limit("prev(speed) > 20 km/h", 20.0, "km/h")
        ],
        [Vehicle, Text(" brakes hard, from "), Value(" km/h"), Text(" to "), Value(" km/h")]
    ),
    words!(
        "harsh-acceleration",
        [
            Limit("rate(speed, 1 s) > 12 km/h/s", 12.0, "km/h/s"),
            Limit("speed > 10 km/h", 10.0, "km/h")
        ],
        [Vehicle, Text(" accelerates hard, to "), Value(" km/h")]
    ),
    words!("sustained-speed", [Limit("avg(speed, 60 s) > 90 km/h", 90.0, "km/h")], [
        Vehicle, Text(" averages "), Value(" km/h")
    ]),
    words!(
        "swerve",
        [
            Limit("abs(rate(heading, 1 s)) > 60 deg/s", 60.0, "deg/s"),
            Limit("speed > 130 km/h", 130.0, "km/h")
        ],
        [Vehicle, Text(" swerves at "), Value(" km/h")]
    ),
    words!(
        "black-ice",
        [Truth("rose(ambient < 3 degC)"), Limit("speed > 50 km/h", 50.0, "km/h")],
        [Vehicle, Text(" meets frost: "), Value(" degC")]
    ),
    words!(
        "full-load",
        [Limit("load > 90 %", 90.0, "%"), Limit("throttle > 90 %", 90.0, "%")],
        [Vehicle, Text(" at "), Value(" %"), Text(" load")]
    ),
    words!("overheating", [Limit("coolant > 110 degC", 110.0, "degC")], [
        Vehicle, Text(" overheats: "), Value(" degC")
    ]),
    words!(
        "coolant-rise",
        [
            Limit("delta(coolant, 60 s) > 12 K", 12.0, "K"),
            Limit("coolant > 95 degC", 95.0, "degC")
        ],
        [Vehicle, Text(" heats up fast: "), Value(" degC")]
    ),
    words!("coolant-mean", [Limit("ewma(coolant, 30 s) > 100 degC", 100.0, "degC")], [
        Vehicle, Text(" runs hot: "), Value(" degC")
    ]),
    words!("vibration", [Limit("vibration > 4 g", 4.0, "g")], [
        Vehicle, Text(" vibrates at "), Value(" g")
    ]),
    words!("rough-running", [Limit("count(vibration > 3 g, 60 s) >= 4", 4.0, "")], [
        Vehicle, Text(" runs rough: "), Value(""), Text(" peaks")
    ]),
    words!("low-battery", [Limit("battery < 11.8 V", 11.8, "V")], [
        Vehicle, Text(" has a battery at "), Value(" V")
    ]),
    words!(
        "alternator-fault",
        [Limit("battery < 12.2 V", 12.2, "V"), Limit("rpm > 900 rpm", 900.0, "rpm")],
        [Vehicle, Text(" does not charge: "), Value(" V"), Text(" at "), Value(" rpm")]
    ),
    words!(
        "battery-unsteady",
        [Limit("highest(battery, 60 s) - lowest(battery, 60 s) > 2 V", 2.0, "V")],
        [Vehicle, Text(" has an unsteady battery: "), Value(" V")]
    ),
    words!(
        "fuel-drop",
        [
            Limit("delta(fuel, 60 s) < -5 %", -5.0, "%"),
            Limit("speed < 40 km/h", 40.0, "km/h")
        ],
        [Vehicle, Text(" loses fuel while standing: "), Value(" %"), Text(" left")]
    ),
    words!("fuel-leak", [Limit("delta(fuel, 2 min) < -3 %", -3.0, "%")], [
        Vehicle, Text(" loses fuel: "), Value(" %"), Text(" left")
    ]),
    words!(
        "gear-hunting",
        [Truth("changed(gear)"), Limit("speed > 160 km/h", 160.0, "km/h")],
        [Vehicle, Text(" shifts to "), Value(""), Text(" at "), Value(" km/h")]
    ),
    words!("impact", [Truth("seq(vibration > 6 g, vibration < 1 g, 20 s)")], [
        Vehicle, Text(" may have crashed")
    ]),
    words!(
        "hot-and-loaded",
        [Truth("held(coolant > 108 degC, 15 s)"), Limit("load > 50 %", 50.0, "%")],
        [Vehicle, Text(" is loaded at "), Value(" degC")]
    ),
];

/// Writes the transitions of one vehicle after the other.
pub struct Writer {
    pub text: Vec<u8>,
    pub count: usize,
    /// The vehicle at hand, as it is and escaped for JSON.
    vehicle: String,
    escaped: String,
    version: String,
}

impl Writer {
    pub fn new(version: &str) -> Self {
        Writer {
            text: Vec::with_capacity(1 << 20),
            count: 0,
            vehicle: String::new(),
            escaped: String::new(),
            version: version.to_string(),
        }
    }

    pub fn clear(&mut self) {
        self.text.clear();
    }

    /// Says whose transitions come next.
    #[inline]
    pub fn start(&mut self, vehicle: &str) {
        self.vehicle.clear();
        self.vehicle.push_str(vehicle);
        self.escaped.clear();
    }

    fn put(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, x: f64) {
        let mut buffer = ryu_js::Buffer::new();
        self.text.extend_from_slice(buffer.format(x).as_bytes());
    }

    fn shown(&mut self, x: f64) {
        if x.is_nan() {
            self.put("null");
        } else {
            self.number(x);
        }
    }

    fn vehicle(&mut self) {
        let Writer { text, escaped, .. } = self;
        text.extend_from_slice(escaped.as_bytes());
    }
}

/// A text within a JSON string.
fn escape(text: &str) -> String {
    let quoted = sonic_rs::to_string(text).expect("a text is always JSON");
    quoted[1..quoted.len() - 1].to_string()
}

impl Sink for Writer {
    fn id(&mut self, rule: usize, onset: f64, cause: &Cause) -> u64 {
        let mut hash = Sha256::new();
        hash.update(WORDS[rule].id);
        hash.update("\n");
        hash.update(self.vehicle.as_bytes());
        let mut buffer = ryu_js::Buffer::new();
        hash.update("\n");
        hash.update(buffer.format(onset));
        hash.update("\n0\n");
        hash.update(buffer.format(cause.offset));
        hash.update("\n0\n");
        let digest = hash.finalize();
        u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
    }

    fn emit(&mut self, t: Transition) {
        if self.escaped.is_empty() {
            self.escaped = escape(&self.vehicle);
        }
        self.count += 1;
        let words = &WORDS[t.rule];
        let (kind, reason) = match t.kind {
            Kind::Opened => ("opened", ""),
            Kind::Escalated => ("escalated", ""),
            Kind::Deescalated => ("deescalated", ""),
            Kind::Reopened => ("reopened", ""),
            Kind::Cleared => ("cleared", r#""reason":"condition","#),
            Kind::ClearedUnknown => ("cleared", r#""reason":"unknown","#),
        };
        self.put(r#"{"id":""#);
        for shift in (0..16).rev() {
            self.text.push(b"0123456789abcdef"[((t.id >> (shift * 4)) & 15) as usize]);
        }
        self.put(r#"","kind":""#);
        self.put(kind);
        self.put(r#"","#);
        self.put(reason);
        self.put(r#""rule":""#);
        self.put(words.id);
        self.put(r#"","version":""#);
        let Writer { text, version, .. } = self;
        text.extend_from_slice(version.as_bytes());
        self.put(r#"","vehicle":""#);
        self.vehicle();
        self.put(r#"","severity":""#);
        self.put(["info", "warning", "critical"][t.severity as usize]);
        self.put(r#"","onset":"#);
        self.number(t.onset);
        self.put(r#","at":"#);
        self.number(t.at);
        self.put(r#","append":"#);
        self.number(t.cause.append);
        self.put(r#","count":"#);
        self.number(f64::from(t.count));
        self.put(r#","message":""#);
        let mut captures = t.captures[words.terms.len()..].iter();
        for part in words.message {
            match part {
                Vehicle => self.vehicle(),
                Text(text) => self.put(text),
                Value(unit) => {
                    let x = *captures.next().expect("a rule captures what it says");
                    if x.is_nan() {
                        self.put("unknown");
                    } else {
                        self.number(x);
                        self.put(unit);
                    }
                }
            }
        }
        self.put(r#"","terms":["#);
        for (i, term) in words.terms.iter().enumerate() {
            if i > 0 {
                self.put(",");
            }
            self.put(r#"{"text":""#);
            let x = t.captures[i];
            match term {
                Limit(text, limit, unit) => {
                    self.put(text);
                    self.put(r#"","value":"#);
                    self.shown(x);
                    self.put(r#","limit":"#);
                    self.number(*limit);
                    self.put(r#","unit":""#);
                    self.put(unit);
                }
                Truth(text) => {
                    self.put(text);
                    self.put(r#"","value":"#);
                    self.put(if x.is_nan() { "null" } else if x == 0.0 { "false" } else { "true" });
                    self.put(r#","limit":null,"unit":""#);
                }
            }
            self.put(r#""}"#);
        }
        self.put(r#"],"source":{"partition":0,"offset":""#);
        self.number(t.cause.offset);
        self.put("\",\"index\":0}}\n");
    }
}
