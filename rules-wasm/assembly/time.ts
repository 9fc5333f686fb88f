/** ISO 8601 dates and times, in the extended form. */

/**
 * Reads `YYYY-MM-DD[(T|t| )hh:mm[:ss[(.|,)digits]][Z|z|(+|-)hh[[:]mm]]]`, all of [p, q).
 *
 * Without a zone it is UTC; a fraction is cut to milliseconds; 24:00:00 ends a day.
 *
 * @returns epoch milliseconds (negative before 1970), or NaN when it is not of that form
 */
export function readIsoTime(p: usize, q: usize): f64 {
  if (q - p < 10) return NaN;
  const year = two(p) * 100 + two(p + 2);
  const month = two(p + 5);
  const day = two(p + 8);
  // two() is hugely negative where it meets no digits, which no product here makes up for.
  if (year < 0 || load<u8>(p, 4) != 0x2d || load<u8>(p, 7) != 0x2d) return NaN;
  if (month < 1 || month > 12 || day < 1 || day > monthDays(year, month)) return NaN;
  let ms = <f64>daysFromEpoch(year, month, day) * 86400000;
  p += 10;
  if (p == q) return ms;

  const t = load<u8>(p);
  if ((t != 0x54 && t != 0x74 && t != 0x20) || q - p < 6) return NaN;
  const hour = two(p + 1);
  const minute = two(p + 4);
  if (hour < 0 || minute < 0 || load<u8>(p, 3) != 0x3a || hour > 24 || minute > 59) return NaN;
  p += 6;
  let second = 0;
  let fraction = 0;
  let rest = 0;
  if (p < q && load<u8>(p) == 0x3a) {
    if (q - p < 3) return NaN;
    second = two(p + 1);
    if (second < 0 || second > 59) return NaN;
    p += 3;
    if (p < q && (load<u8>(p) == 0x2e || load<u8>(p) == 0x2c)) {
      p++;
      let digits = 0;
      while (p < q && <u32>load<u8>(p) - 0x30 < 10) {
        const d: i32 = load<u8>(p) - 0x30;
        if (digits < 3) fraction = fraction * 10 + d;
        rest |= d;
        digits++;
        p++;
      }
      if (digits == 0) return NaN;
      for (; digits < 3; digits++) fraction *= 10;
    }
  }
  if (hour == 24 && (minute | second | rest) != 0) return NaN;
  ms += <f64>(hour * 3600000 + minute * 60000 + second * 1000 + fraction);
  return p == q ? ms : ms - zoneOffset(p, q);
}

/** Milliseconds east of UTC of the zone in [p, q), or NaN. */
function zoneOffset(p: usize, q: usize): f64 {
  const sign = load<u8>(p++);
  if (sign == 0x5a || sign == 0x7a) return p == q ? 0 : NaN;
  if (sign != 0x2b && sign != 0x2d) return NaN;
  if (q - p < 2) return NaN;
  const hour = two(p);
  p += 2;
  let minute = 0;
  if (p < q) {
    if (load<u8>(p) == 0x3a) p++;
    if (q - p != 2) return NaN;
    minute = two(p);
  }
  if (hour < 0 || minute < 0 || hour > 23 || minute > 59) return NaN;
  const offset = <f64>(hour * 60 + minute) * 60000;
  return sign == 0x2d ? -offset : offset;
}

/** The number of the two digits at `p`, or -1000000. */
function two(p: usize): i32 {
  const a = <u32>load<u8>(p) - 0x30;
  const b = <u32>load<u8>(p, 1) - 0x30;
  return a < 10 && b < 10 ? <i32>(a * 10 + b) : -1000000;
}

function monthDays(year: i32, month: i32): i32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/** Days from 1970-01-01; Howard Hinnant, "chrono-compatible low-level date algorithms". */
function daysFromEpoch(year: i32, month: i32, day: i32): i32 {
  const y = month <= 2 ? year - 1 : year;
  const era = (y >= 0 ? y : y - 399) / 400;
  const yearOfEra = y - era * 400;
  const dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468;
}
