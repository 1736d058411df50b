/** The studio in one picture: water runs from the data to the wheel that answers. Decorative. */
export function RoutePicture() {
  const stations = ['Data', 'Pipeline', 'Run', 'Model', 'Endpoint']
  return (
    <svg viewBox="0 0 520 230" width="100%" role="img" aria-label="The route: data, pipeline, run, model, endpoint, and back to data">
      <defs>
        <linearGradient id="flow" x1="0" x2="1">
          <stop offset="0" stopColor="#a3d8e7" />
          <stop offset="1" stopColor="#ffffff" />
        </linearGradient>
      </defs>
      <path d="M36 74 C 90 44, 110 104, 164 80 S 250 62, 296 96 S 390 118, 436 108" fill="none" stroke="url(#flow)" strokeWidth="5" strokeLinecap="round" />
      <path d="M36 90 C 90 60, 110 120, 164 96 S 250 78, 296 112 S 390 134, 430 126" fill="none" stroke="#6fc1d8" strokeOpacity=".55" strokeWidth="3" strokeLinecap="round" />
      <path d="M452 168 C 400 222, 130 226, 44 112" fill="none" stroke="#6fc1d8" strokeOpacity=".5" strokeWidth="2.5" strokeDasharray="3 9" strokeLinecap="round" />
      {stations.map((name, i) => {
        const x = [36, 140, 240, 338, 458][i]!
        const y = [82, 90, 84, 118, 130][i]!
        return (
          <g key={name}>
            {i < 4 ? (
              <circle cx={x} cy={y} r="13" fill="#0b526a" stroke="#fff" strokeWidth="3" />
            ) : (
              <g stroke="#fff" fill="none">
                <circle cx={x} cy={y} r="36" strokeWidth="4.5" />
                {Array.from({ length: 8 }, (_, n) => {
                  const a = (n * Math.PI) / 4
                  return <path key={n} d={`M${x} ${y} L${x + 36 * Math.cos(a)} ${y + 36 * Math.sin(a)}`} strokeWidth="2.2" strokeOpacity=".85" />
                })}
                <circle cx={x} cy={y} r="9" fill="#0b526a" strokeWidth="3.5" />
              </g>
            )}
            <text x={x} y={i < 4 ? y - 26 : y - 50} fill="#fff" fontSize="15" fontWeight="560" textAnchor="middle" fontFamily="inherit">
              {name}
            </text>
          </g>
        )
      })}
    </svg>
  )
}
