/** Samples of a recording that wait for their turn: a heap by A, then by their order in the text. */

/** The sample that comes first. */
export interface WaitingSample {
  readonly append: number;
  readonly line: number;
  readonly slot: number;
  /** A view of its block. */
  readonly bytes: Uint8Array;
}

/** A block of which samples wait. */
interface Block {
  readonly bytes: Uint8Array;
  left: number;
}

/** The samples that wait. Takes about 50 bytes each, and their blocks. */
export class WaitingSamples {
  #count = 0;
  /** Places of samples, as a heap. */
  #heap = new Uint32Array(1024);
  readonly #free: number[] = [];
  #used = 0;
  #append = new Float64Array(1024);
  /** Number of the sample in the text. */
  #order = new Float64Array(1024);
  #line = new Float64Array(1024);
  #slot = new Uint32Array(1024);
  #start = new Uint32Array(1024);
  #end = new Uint32Array(1024);
  #block = new Uint32Array(1024);
  readonly #blocks = new Map<number, Block>();
  #blockNumber = 0;
  /** Whether more of the current block may come. */
  #filling = false;
  #current: Block = { bytes: new Uint8Array(0), left: 0 };
  #samples = 0;

  /** The samples that follow lie in this block. */
  enter(bytes: Uint8Array): void {
    this.#current = { bytes, left: 0 };
    this.#blocks.set(++this.#blockNumber, this.#current);
    this.#filling = true;
  }

  /** The block has no more. */
  leave(): void {
    this.#filling = false;
    if (this.#current.left === 0) this.#blocks.delete(this.#blockNumber);
  }

  /** Blocks that are held. */
  get blocks(): number {
    return this.#blocks.size;
  }

  /** A of the first; NaN if none waits. */
  get least(): number {
    return this.#count === 0 ? NaN : this.#append[this.#heap[0]];
  }

  /** Adds a sample of the block. */
  add(append: number, line: number, slot: number, start: number, end: number): void {
    const place = this.#free.pop() ?? this.#used++;
    if (place >= this.#append.length) this.#grow();
    this.#append[place] = append;
    this.#order[place] = this.#samples++;
    this.#line[place] = line;
    this.#slot[place] = slot;
    this.#start[place] = start;
    this.#end[place] = end;
    this.#block[place] = this.#blockNumber;
    this.#current.left++;
    let at = this.#count++;
    // Samples in the order of time stay where they are put.
    while (at > 0) {
      const above = (at - 1) >>> 1;
      if (!this.#before(place, this.#heap[above])) break;
      this.#heap[at] = this.#heap[above];
      at = above;
    }
    this.#heap[at] = place;
  }

  /** The sample that comes first; there is one. */
  first(): WaitingSample {
    const place = this.#heap[0];
    const block = this.#blocks.get(this.#block[place]);
    if (this.#count === 0 || block === undefined) throw new RangeError("No sample waits");
    return {
      append: this.#append[place],
      line: this.#line[place],
      slot: this.#slot[place],
      bytes: block.bytes.subarray(this.#start[place], this.#end[place]),
    };
  }

  /** Takes the first out. */
  drop(): void {
    const place = this.#heap[0];
    const number = this.#block[place];
    const block = this.#blocks.get(number);
    const filling = this.#filling && number === this.#blockNumber;
    if (block !== undefined && --block.left === 0 && !filling) this.#blocks.delete(number);
    this.#free.push(place);
    const last = this.#heap[--this.#count];
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= this.#count) break;
      const right = below + 1;
      if (right < this.#count && this.#before(this.#heap[right], this.#heap[below])) below = right;
      if (!this.#before(this.#heap[below], last)) break;
      this.#heap[at] = this.#heap[below];
      at = below;
    }
    this.#heap[at] = last;
  }

  #before(a: number, b: number): boolean {
    const difference = this.#append[a] - this.#append[b];
    return difference < 0 || difference === 0 && this.#order[a] < this.#order[b];
  }

  #grow(): void {
    const size = this.#append.length * 2;
    const words = (from: Uint32Array<ArrayBuffer>) => {
      const to = new Uint32Array(size);
      to.set(from);
      return to;
    };
    const doubles = (from: Float64Array<ArrayBuffer>) => {
      const to = new Float64Array(size);
      to.set(from);
      return to;
    };
    this.#heap = words(this.#heap);
    this.#slot = words(this.#slot);
    this.#start = words(this.#start);
    this.#end = words(this.#end);
    this.#block = words(this.#block);
    this.#append = doubles(this.#append);
    this.#order = doubles(this.#order);
    this.#line = doubles(this.#line);
  }
}
