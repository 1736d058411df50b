import { expect, test } from 'vitest'
import { changed, delimiterChoices, sentNulls, shownNulls, summary, thousandsChoices, type Reading } from './reading'

const PLAIN: Reading = { filename: 'a', format: 'parquet', options: { file_column: false }, sheets: [], members: [], decimal: '.', thousands: '', dates: '', notices: [] }
const READING: Reading = { ...PLAIN, format: 'csv', delimiter: ';', encoding: 'latin-1', header: true, decimal: ',', thousands: '.' }

test('a reading is one line of words', () => {
  expect(summary(READING)).toBe('Text with delimiters · semicolon · Latin-1 · names in the first row · numbers as 1.234,56')
  expect(summary(PLAIN)).toBe('Parquet')
  expect(summary({ ...READING, delimiter: '~', header: false, thousands: '', members: ['a', 'b'] })).toContain('2 files of an archive · “~”')
})

test('the empty string can be seen and comes back', () => {
  expect(sentNulls(shownNulls(['', 'NA']))).toEqual(['', 'NA'])
  expect(sentNulls(['NA', 'NA'])).toEqual(['NA'])
})

test('one mark is never both the fraction and the thousands', () => {
  expect(thousandsChoices(',').map((c) => c.value)).not.toContain(',')
  expect(changed({ thousands: ',', file_column: false }, { decimal: ',' })).toEqual({ decimal: ',', file_column: false })
  expect(changed({ thousands: '.', file_column: false }, { decimal: ',' }).thousands).toBe('.')
})

test('an unusual delimiter is among the choices', () => {
  expect(delimiterChoices('~').at(-1)).toEqual({ value: '~', label: '~' })
  expect(delimiterChoices(';')).toHaveLength(5)
})
