/** A PDF's pages as pictures, by pdf.js in a worker of our own files: nothing is fetched from elsewhere, nothing is evaluated. */
import * as pdfjs from 'pdfjs-dist'
import worker from 'pdfjs-dist/build/pdf.worker.min.mjs?url'

pdfjs.GlobalWorkerOptions.workerSrc = worker

/** A page of A4 becomes 1,190 × 1,684 pixels: small print can be read when it is zoomed. */
const SCALE = 2
/** Of a side, in pixels: a poster is drawn smaller, not larger than a browser's canvas can be. */
const MOST = 4000

export interface Pages {
  readonly count: number
  /** The address of a picture of a page (from 0), which lives as long as the document is open. */
  picture(page: number): Promise<string>
  close(): void
}

export async function openPdf(url: string): Promise<Pages> {
  const loading = pdfjs.getDocument({ url, withCredentials: true, isEvalSupported: false, enableXfa: false })
  const pdf = await loading.promise
  const pictures = new Map<number, Promise<string>>()
  const draw = async (number: number): Promise<string> => {
    const page = await pdf.getPage(number + 1)
    const plain = page.getViewport({ scale: 1 })
    const viewport = page.getViewport({ scale: Math.min(SCALE, MOST / Math.max(plain.width, plain.height)) })
    const canvas = document.createElement('canvas')
    canvas.width = Math.max(1, Math.round(viewport.width))
    canvas.height = Math.max(1, Math.round(viewport.height))
    await page.render({ canvas, viewport }).promise
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve))
    if (!blob) throw new Error('The page could not be drawn.')
    return URL.createObjectURL(blob)
  }
  return {
    count: pdf.numPages,
    picture: (page) => {
      const made = pictures.get(page) ?? draw(page)
      pictures.set(page, made)
      return made
    },
    close: () => {
      for (const made of pictures.values()) void made.then((address) => URL.revokeObjectURL(address)).catch(() => undefined)
      void loading.destroy()
    },
  }
}

/** What to tell somebody whose document does not open. */
export function trouble(failure: unknown): { title: string; advice: string } {
  const name = failure instanceof Error ? failure.name : ''
  if (name === 'PasswordException') return { title: 'This PDF is locked by a password', advice: 'Its pages cannot be read here. Skip it, and upload one without a password.' }
  if (name === 'InvalidPDFException' || name === 'FormatError') return { title: 'This PDF is damaged', advice: 'Its pages cannot be read. Skip it, and upload the document again.' }
  return { title: 'The document cannot be shown', advice: 'It could not be loaded. Reload the page; if it stays so, open the item in its data set and look at the file.' }
}
