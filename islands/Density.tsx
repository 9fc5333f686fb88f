/** How often something happened over time, as bars. */

/** Counts per bucket, oldest first. @param props.label the stretch in words, for those who hear it */
export function Density(props: { counts: readonly number[]; label: string }) {
  const { counts, label } = props;
  const most = Math.max(1, ...counts);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return (
    <svg
      class="density"
      viewBox={`0 0 ${counts.length * 4} 16`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${total} openings ${label}`}
    >
      <path class="floor" d={`M0 15.5h${counts.length * 4}`} />
      {counts.map((count, k) => {
        if (count === 0) return null;
        const height = 3 + 12 * count / most;
        return <rect key={k} x={k * 4} y={15 - height} width={3} height={height} />;
      })}
    </svg>
  );
}
