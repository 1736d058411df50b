/** Markdown of model cards, drawn without raw HTML. Loaded only where a card is shown. */
import ReactMarkdown from 'react-markdown'
import remarkGfm from 'remark-gfm'

export default function Markdown({ text }: { text: string }) {
  return (
    <ReactMarkdown remarkPlugins={[remarkGfm]} skipHtml components={{ h1: 'h2', h2: 'h3', h3: 'h4', img: () => null }}>
      {text}
    </ReactMarkdown>
  )
}
