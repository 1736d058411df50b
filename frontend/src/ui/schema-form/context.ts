/** What the form's own widgets choose from. The page that shows the form knows it; the form asks nobody. */

export type ColumnChoice = { name: string; type: string }
export type DatasetChoice = { slug: string; name: string; modality: string; latest: number | null; versions?: number[] }
export type NameChoice = { slug: string; name: string }

/** What may stand in place of a value: a parameter of the pipeline, or a secret of the project by its name. */
export type ReferenceChoices = {
  parameters: { name: string; title: string; type: string }[]
  /** Absent where none may be used, or none may be seen. */
  secrets?: SecretChoices
}

export type SecretChoices = {
  /** Absent while they are not known. */
  names?: string[]
  /** The page on which one is set, for those who may. */
  settings?: string
}

export type SchemaFormContext = {
  /** Where it is given, each field of the form can refer to one of these instead of holding a value. */
  references?: ReferenceChoices
  /** Columns known at each input port; a port that is absent is not known (yet). */
  columns?: Record<string, ColumnChoice[] | undefined>
  datasets?: DatasetChoice[]
  models?: NameChoice[]
  endpoints?: NameChoice[]
  pipelines?: NameChoice[]
  /** Fields whose secret is kept already: left empty, it stays. */
  kept?: string[]
}
