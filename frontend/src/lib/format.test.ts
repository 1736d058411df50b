import { expect, test } from 'vitest'
import { ago, bytes, duration, number, percent, plural } from './format'

test('numbers keep what matters and no more', () => {
  expect(number(0.973_12)).toBe('0.9731')
  expect(number(1204)).toBe('1,204')
  expect(number(123_456.789)).toBe('123,457')
  expect(number(0.000_000_32)).toBe('3.2e-7')
  expect(number(0)).toBe('0')
  expect(number(null)).toBe('–')
})

test('a share that is not zero is never shown as zero', () => {
  expect(percent(0)).toBe('0 %')
  expect(percent(0.0001)).toBe('<0.1 %')
  expect(percent(0.9731)).toBe('97.3 %')
})

test('bytes never read as 1000 of a unit', () => {
  expect(bytes(0)).toBe('0 B')
  expect(bytes(999_600)).toBe('1.0 MB')
  expect(bytes(4_210_000)).toBe('4.2 MB')
})

test('durations carry over instead of showing 60', () => {
  expect(duration(0.35)).toBe('350 ms')
  expect(duration(59.7)).toBe('1 min')
  expect(duration(200)).toBe('3 min 20 s')
  expect(duration(7500)).toBe('2 h 5 min')
})

test('times near now read as people say them', () => {
  const now = Date.parse('2026-03-12T12:00:00Z')
  expect(ago('2026-03-12T11:59:50Z', now)).toBe('just now')
  expect(ago('2026-03-12T11:30:00Z', now)).toBe('30 min ago')
  expect(ago('2026-03-11T11:00:00Z', now)).toBe('yesterday')
  expect(ago('2026-03-15T12:00:00Z', now)).toBe('in 3 days')
})

test('one of something is singular', () => {
  expect(plural(1, 'row')).toBe('1 row')
  expect(plural(1200, 'row')).toBe('1,200 rows')
})
