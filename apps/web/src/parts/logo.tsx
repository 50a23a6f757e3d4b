/** The wild goose of the favicon, in the colour of the text. */
export function Logo({ size = 40 }: { size?: number }) {
  return (
    <svg className="logo" width={size} height={size} viewBox="4 6 58 50" aria-hidden="true" focusable="false">
      <g fill="currentColor">
        <path opacity=".55" d="M38.5 33.5C38.9 24.6 36.8 16.4 31.5 9.5c8.3 5.2 13.2 12.5 14 21.3z" />
        <path d="M6.5 41.2c5.3-.1 9.7-1 13.2-2.6C19.2 28.4 15.8 19.6 9 12.8 21.6 15.6 30.3 22.3 34.6 32.4c4.2-.4 8.2-2.2 12.3-5.2 2.2-1.6 3.9-3 5.9-3.1 1.9-.1 3.2.9 3.6 2.4l3.4 1.7-4.3.9c-3.3.8-5 2.9-7.3 6.3-4.9 7.3-11 12.5-20 13.6-8 .9-14.8-1.8-21.7-7.8z" />
      </g>
    </svg>
  );
}
