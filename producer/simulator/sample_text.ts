/** Writes samples as JSON into a byte buffer, without a string or an object on the way. */

const encoder = new TextEncoder();
const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;
/** Powers of ten that the decimals of a number are scaled by. */
const SCALE = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];

/** Most bytes that one sample takes. */
export const SAMPLE_BYTES_MAX = 512;

/** Values of one sample, in the units of the shipped catalog; refilled for every sample. */
export interface SampleValues {
  lat: number;
  lon: number;
  heading: number;
  speed: number;
  rpm: number;
  gear: number;
  throttle: number;
  load: number;
  coolant: number;
  fuel: number;
  battery: number;
  vibration: number;
  odometer: number;
  ambient: number;
  ignition: boolean;
}

/** Appends bytes to a buffer that grows when it is full. */
export class SampleText {
  #bytes = new Uint8Array(64 * 1024);
  #length = 0;

  /** What was written since the last `clear`; valid until the next call of any method. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Number of bytes written since the last `clear`. */
  get length(): number {
    return this.#length;
  }

  /** Begins anew in the same memory. */
  clear(): void {
    this.#length = 0;
  }

  /** Ends a line. */
  newline(): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = 0x0a;
  }

  /**
   * Writes one sample as a JSON object.
   *
   * @param head `{"vehicle":"…","ts":` of the vehicle
   * @param ts epoch milliseconds
   */
  sample(head: Uint8Array, ts: number, values: SampleValues): void {
    this.#reserve(SAMPLE_BYTES_MAX + head.length);
    this.#put(head);
    this.#number(ts, 0);
    this.#field(LAT, values.lat, 6);
    this.#field(LON, values.lon, 6);
    this.#field(HEADING, values.heading, 1);
    this.#field(SPEED, values.speed, 1);
    this.#field(RPM, values.rpm, 0);
    this.#field(GEAR, values.gear, 0);
    this.#field(THROTTLE, values.throttle, 0);
    this.#field(LOAD, values.load, 0);
    this.#field(COOLANT, values.coolant, 1);
    this.#field(FUEL, values.fuel, 1);
    this.#field(BATTERY, values.battery, 2);
    this.#field(VIBRATION, values.vibration, 2);
    this.#field(ODOMETER, values.odometer, 2);
    this.#field(AMBIENT, values.ambient, 1);
    this.#put(values.ignition ? IGNITION_ON : IGNITION_OFF);
  }

  #field(key: Uint8Array, value: number, decimals: number): void {
    this.#put(key);
    this.#number(value, decimals);
  }

  #put(text: Uint8Array): void {
    // Pieces are short: a loop costs less than a call of `set`.
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) bytes[at++] = text[i];
    this.#length = at;
  }

  /** Writes a finite number of at most 15 digits, rounded, without trailing zeros. */
  #number(value: number, decimals: number): void {
    const bytes = this.#bytes;
    let rest = Math.round(Math.abs(value) * SCALE[decimals]);
    if (value < 0 && rest > 0) bytes[this.#length++] = MINUS;
    let places = decimals;
    while (places > 0 && rest % 10 === 0) {
      rest /= 10;
      places--;
    }
    let digits = places + 1;
    for (let bound = SCALE[places] * 10; rest >= bound; bound *= 10) digits++;
    const end = this.#length + digits + (places > 0 ? 1 : 0);
    for (let at = end - 1; digits > 0; digits--) {
      const tens = Math.floor(rest / 10);
      bytes[at--] = ZERO + (rest - tens * 10);
      rest = tens;
      if (--places === 0) bytes[at--] = POINT;
    }
    this.#length = end;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(this.#bytes.length * 2 + bytes);
    grown.set(this.bytes);
    this.#bytes = grown;
  }
}

const key = (name: string) => encoder.encode(`,"${name}":`);
const LAT = key("lat");
const LON = key("lon");
const HEADING = key("heading");
const SPEED = key("speed");
const RPM = key("rpm");
const GEAR = key("gear");
const THROTTLE = key("throttle");
const LOAD = key("load");
const COOLANT = key("coolant");
const FUEL = key("fuel");
const BATTERY = key("battery");
const VIBRATION = key("vibration");
const ODOMETER = key("odometer");
const AMBIENT = key("ambient");
const IGNITION_ON = encoder.encode(`,"ignition":true}`);
const IGNITION_OFF = encoder.encode(`,"ignition":false}`);
