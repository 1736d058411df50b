/** Pipelines as steps of others: their names, their newer versions, the steps that are their ports. */
import type { Catalog } from './catalog'
import type { Step } from './types'

const REFERENCE = /^pipeline:([a-z0-9]+(?:-[a-z0-9]+)*)@([1-9]\d{0,8})$/

/** The published pipeline that a component's name means: `pipeline:slug@3`. */
export function pipelineOf(component: string): { slug: string; version: number } | null {
  const found = REFERENCE.exec(component)
  return found ? { slug: found[1] as string, version: Number(found[2]) } : null
}

/** Can this step be opened: is it a pipeline itself? */
export function openInside(step: Step): boolean {
  return pipelineOf(step.component) !== null
}

/** The newest version of the step's pipeline, where it is newer than the one the step uses. */
export function newerVersion(catalog: Catalog, component: string): { component: string; version: number } | null {
  const used = pipelineOf(component)
  if (!used) return null
  let newest: { component: string; version: number } | null = null
  for (const name of catalog.components.keys()) {
    const other = pipelineOf(name)
    if (other?.slug === used.slug && other.version > (newest?.version ?? used.version)) newest = { component: name, version: other.version }
  }
  return newest
}

/** Is this step a port of its pipeline rather than work? */
export function isPortStep(step: Step): 'input' | 'output' | null {
  return step.component === 'pipeline_input' ? 'input' : step.component === 'pipeline_output' ? 'output' : null
}
