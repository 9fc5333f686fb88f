/// <reference lib="dom" />
/** What is shown before the first vehicle: how to send a sample. */

/** The command that sends a first sample to the server at `origin`. */
export function firstSample(origin: string): string {
  const sample = '{"vehicle":"VH-0001","ts":\'$(date +%s000)\',"lat":59.33,"lon":18.06,' +
    '"speed":74.2,"coolant":91.5,"fuel":61}';
  return `curl -X POST ${origin}/api/telemetry -H 'content-type: application/json' -d '${sample}'`;
}

/** Says that no vehicle has been heard of, and what to do. */
export function EmptyFleet() {
  return (
    <section class="empty">
      <h2>No vehicle yet</h2>
      <p>
        The intake is open. Send a first sample, or start with a simulated fleet:{" "}
        <code>deno task dev</code>.
      </p>
      <pre><code>{firstSample(originOf())}</code></pre>
      <p>It appears here by itself, within a second.</p>
    </section>
  );
}

/** Where the page came from; on the server the default address. */
function originOf(): string {
  return typeof document === "undefined" ? "http://127.0.0.1:8000" : location.origin;
}
