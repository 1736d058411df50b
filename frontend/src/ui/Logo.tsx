/** The studio's mark: a channel of water arriving at a wheel. Decorative; the word beside it is the name. */
export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden focusable="false">
      <rect width="32" height="32" rx="8" fill="#0c6683" />
      <path d="M4 10.5c3.2 0 3.2 2.4 6.4 2.4s3.4-2.4 6.4-2.4" fill="none" stroke="#a3d8e7" strokeWidth="2.2" strokeLinecap="round" />
      <path d="M4 16.2c2.6 0 2.8 2 5.2 2.2" fill="none" stroke="#6fc1d8" strokeWidth="2.2" strokeLinecap="round" />
      <circle cx="19.5" cy="19" r="7.2" fill="none" stroke="#fff" strokeWidth="2.2" />
      <path d="M19.5 11.8v14.4M12.3 19h14.4M14.4 13.9l10.2 10.2M24.6 13.9 14.4 24.1" stroke="#fff" strokeWidth="1.3" strokeLinecap="round" opacity=".85" />
      <circle cx="19.5" cy="19" r="2.3" fill="#fff" />
    </svg>
  )
}
