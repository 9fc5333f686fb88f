/** Line icons of the shell, drawn on a 24 by 24 grid. */

const PATHS = {
  live: "M3 6.5 9 4l6 2.5L21 4v13.5L15 20l-6-2.5L3 20zM9 4v13.5M15 6.5V20",
  anomalies: "M12 3.5 21.5 20h-19zM12 10v4.5M12 17.2v.01",
  rules: "M8.5 6.5 3 12l5.5 5.5M15.5 6.5 21 12l-5.5 5.5",
  pipeline: "M3 12h4l3-8 4 16 3-8h4",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5 21 21",
  theme: "M12 20a8 8 0 1 0 0-16v16z M12 4a8 8 0 0 0 0 16",
  pause: "M9 5v14M15 5v14",
  play: "M8 5.5v13L18.5 12z",
  plus: "M12 6v12M6 12h12",
  minus: "M6 12h12",
  fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  close: "M6 6l12 12M18 6 6 18",
  link:
    "M10 14a4 4 0 0 0 6 0l3-3a4.2 4.2 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4.2 4.2 0 0 0 6 6l1-1",
  truck:
    "M3 16V7h11v9H9.5M3 16h1.5M14 10h4l3 3v3h-1.5M14 16h1M7 18a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM17 18a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
} as const;

/** Names of the icons. */
export type IconName = keyof typeof PATHS;

/** One icon; it says nothing to a screen reader, the words beside it do. */
export function Icon(props: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[props.name]} />
    </svg>
  );
}
